/// Writes compact JSON (RFC 8259) into bytes: arrays, whole numbers and strings. It sets the commas; that arrays are closed and that
/// nothing follows the first value is the caller's duty.
package struct JSONWriter: Sendable {
    @usableFromInline var output: [UInt8] = []
    @usableFromInline var needsComma = false

    /// What was written so far.
    @inlinable package var bytes: [UInt8] { output }

    /// - Parameter capacity: bytes that are expected.
    package init(capacity: Int = 256) { output.reserveCapacity(capacity) }

    @inlinable
    package mutating func beginArray() {
        separate()
        output.append(UInt8(ascii: "["))
        needsComma = false
    }

    @inlinable
    package mutating func endArray() {
        output.append(UInt8(ascii: "]"))
        needsComma = true
    }

    @inlinable
    package mutating func int(_ value: Int64) {
        separate()
        appendDecimal(value)
        needsComma = true
    }

    /// Writes UTF-8 as a string.
    @inlinable
    package mutating func string(_ value: some Collection<UInt8>) {
        separate()
        output.append(UInt8(ascii: "\""))
        let plain = value.withContiguousStorageIfAvailable { buffer in
            output.appendJSONEscaped(buffer)
            return true
        }
        if plain == nil { Array(value).withUnsafeBufferPointer { output.appendJSONEscaped($0) } }
        output.append(UInt8(ascii: "\""))
        needsComma = true
    }

    @inlinable
    mutating func separate() {
        if needsComma { output.append(UInt8(ascii: ",")) }
    }

    @usableFromInline
    mutating func appendDecimal(_ value: Int64) {
        if value < 0 { output.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let start = output.count
        repeat {
            output.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        output[start...].reverse()
    }
}
