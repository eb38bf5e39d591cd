//! portcullis-keys
