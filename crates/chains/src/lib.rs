//! portcullis-chains
