enum SinkPlace {}
