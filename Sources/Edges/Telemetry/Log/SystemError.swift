import Foundation

/// Errors of system calls, in the system's words.
enum SystemError {
    /// What strerror(3) says of an error number, in any thread.
    static func text(_ number: CInt) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
