import Text

/// What the target of a counted link has to be.
package enum WebTarget {
    /// A whole URL of `http:` or `https:` with a host, with nothing in it that no URL has, and not too long.
    /// - Parameter more: bytes that it is going to grow by.
    package static func isWhole(_ target: UnsafeBufferPointer<UInt8>, growing more: Int = 0) -> Bool {
        guard target.count + more <= TrackedLink.longestTarget, target.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return false }
        for scheme in ["http://", "https://"] {
            let length = scheme.utf8.count
            guard target.count > length, zip(target, scheme.utf8).allSatisfy({ $0.lowercased == $1 }) else { continue }
            return !"/?#\\".utf8.contains(target[length])
        }
        return false
    }
}
