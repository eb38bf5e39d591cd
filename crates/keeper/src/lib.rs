//! portcullis-keeper
