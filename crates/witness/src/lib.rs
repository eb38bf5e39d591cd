//! portcullis-witness
