/// Reads JSON (RFC 8259) from bytes, piece by piece and without building a tree: the caller asks for what should stand at the
/// cursor, and the cursor moves behind it. What the caller does not need is passed by `skipValue`.
///
/// It neither recurses nor allocates, and it never reads beyond the bytes, whatever they are. Bytes from 0x80 are not checked to be
/// UTF-8. Every function that throws `JSONSyntaxError` leaves the cursor where the text is wrong.
public struct JSONCursor {
    /// What a reader of texts from outside lets pass.
    public enum Tolerance: Sendable {
        /// RFC 8259.
        case strict
        /// RFC 8259, and no NUL in a text.
        case withoutNUL
        /// Responses of providers: control characters in a text and unknown escapes stand for themselves, and half a surrogate pair
        /// becomes U+FFFD.
        case lenient
    }

    /// How deep `skipValue` goes.
    public static let deepest = 64

    @usableFromInline let bytes: UnsafeBufferPointer<UInt8>
    @usableFromInline var index = 0
    @usableFromInline let tolerance: Tolerance

    /// - Parameter bytes: must outlive the cursor.
    @inlinable
    public init(_ bytes: UnsafeBufferPointer<UInt8>, tolerance: Tolerance = .strict) {
        self.bytes = bytes
        self.tolerance = tolerance
    }

    /// The byte at which the cursor stands, from 0.
    @inlinable public var position: Int { index }

    @inlinable
    public func error(_ problem: JSONSyntaxError.Problem) -> JSONSyntaxError { JSONSyntaxError(problem, at: index) }

    /// The bytes of a range of the text.
    @inlinable
    public func text(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: bytes[range]) }

    /// Passes white space (RFC 8259 section 2).
    @inlinable
    public mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0a, 0x0d: index += 1
            default: return
            }
        }
    }

    /// Passes white space.
    /// - Returns: the byte behind it; nil at the end of the text.
    @inlinable
    public mutating func peek() -> UInt8? {
        skipSpace()
        return index < bytes.count ? bytes[index] : nil
    }

    /// Passes white space and a byte.
    /// - Returns: false where another byte stands there; only the white space is passed then.
    @inlinable
    public mutating func take(_ byte: UInt8) -> Bool {
        // Our own texts have no white space.
        if index < bytes.count, bytes[index] == byte {
            index += 1
            return true
        }
        skipSpace()
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    /// Passes white space, and checks that nothing is left.
    @inlinable
    public mutating func end() throws(JSONSyntaxError) {
        skipSpace()
        guard index == bytes.count else { throw error(.textBehind) }
    }

    /// Passes a key and its colon, and appends the key to `out`.
    @inlinable
    public mutating func key(into out: inout [UInt8]) throws(JSONSyntaxError) {
        try string(into: &out)
        guard take(UInt8(ascii: ":")) else { throw error(.noColon) }
    }

    /// Passes `true`, `false` or `null`.
    @inlinable
    public mutating func word(_ word: StaticString) throws(JSONSyntaxError) {
        let count = word.utf8CodeUnitCount
        guard index + count <= bytes.count else { throw error(.noValue) }
        for offset in 0..<count where bytes[index + offset] != word.utf8Start[offset] { throw error(.noValue) }
        index += count
    }
}
