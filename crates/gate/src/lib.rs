//! portcullis-gate
