//! portcullis-signer
