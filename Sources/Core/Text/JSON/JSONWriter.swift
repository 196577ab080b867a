/// Writes compact JSON (RFC 8259) into bytes: arrays, objects, whole numbers and strings. It sets the commas. The caller closes all arrays
/// and objects, and writes nothing after the first value.
public struct JSONWriter: Sendable {
    @usableFromInline var output: [UInt8] = []
    @usableFromInline var needsComma = false

    /// What was written so far.
    @inlinable public var bytes: [UInt8] { output }

    /// - Parameter capacity: bytes that are expected.
    public init(capacity: Int = 256) { output.reserveCapacity(capacity) }

    @inlinable
    public mutating func beginArray() {
        separate()
        output.append(UInt8(ascii: "["))
        needsComma = false
    }

    @inlinable
    public mutating func endArray() {
        output.append(UInt8(ascii: "]"))
        needsComma = true
    }

    public mutating func beginObject() {
        separate()
        output.append(UInt8(ascii: "{"))
        needsComma = false
    }

    public mutating func endObject() {
        output.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// The name of a member, whose value comes next.
    public mutating func key(_ name: String) {
        string(name.utf8)
        output.append(UInt8(ascii: ":"))
        needsComma = false
    }

    @inlinable
    public mutating func int(_ value: Int64) {
        separate()
        output.appendDecimal(value)
        needsComma = true
    }

    /// Writes UTF-8 as a string.
    @inlinable
    public mutating func string(_ value: some Collection<UInt8>) {
        if value.withContiguousStorageIfAvailable({ string($0) }) == nil { Array(value).withUnsafeBufferPointer { string($0) } }
    }

    /// Writes UTF-8 as a string.
    @inlinable
    public mutating func string(_ value: UnsafeBufferPointer<UInt8>) {
        separate()
        output.append(UInt8(ascii: "\""))
        output.appendJSONEscaped(value)
        output.append(UInt8(ascii: "\""))
        needsComma = true
    }

    @inlinable
    mutating func separate() {
        if needsComma { output.append(UInt8(ascii: ",")) }
    }
}
