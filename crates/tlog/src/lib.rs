//! portcullis-tlog
