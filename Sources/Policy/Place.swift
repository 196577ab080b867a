enum PolicyPlace {}
