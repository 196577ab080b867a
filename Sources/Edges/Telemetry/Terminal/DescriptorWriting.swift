import Foundation

/// Writes texts to open files.
enum DescriptorWriting {
    /// - Parameter timeout: milliseconds to wait for a pipe that somebody made non-blocking, and whose reader is slow; -1 for ever.
    /// - Returns: false when the text, or its rest, was given up.
    static func write(_ text: String, to descriptor: CInt, timeout: CInt) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Foundation.write(descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EAGAIN {
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    guard Foundation.poll(&poll, 1, timeout) > 0 else { return false }
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
