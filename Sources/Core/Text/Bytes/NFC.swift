import CIDN2

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension String {
    /// The text in Unicode's normalisation form C, in which an accented letter is one character wherever there is one.
    var nfc: String {
        let bytes = Array(utf8)
        var count = 0
        guard let found = u8_normalize(flotilla_nfc(), bytes, bytes.count, nil, &count) else { return self }
        defer { free(found) }
        return String(decoding: UnsafeBufferPointer(start: found, count: count), as: UTF8.self)
    }
}
