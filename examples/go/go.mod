module exchange

go 1.19

require portcullis v0.1.0

replace portcullis => ../../clients/go
