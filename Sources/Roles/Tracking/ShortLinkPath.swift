import Signing
import Text

/// The path of a short link: `/TOKEN`.
enum ShortLinkPath {
    /// What may be the token of a short link, damaged or not; nil for a path that is something else. No fixed path is so long.
    static func token(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard path.first == UInt8(ascii: "/") else { return nil }
        let token = path.dropFirst()
        return 16...48 ~= token.count && token.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
            ? token : nil
    }

    /// The path is as long as that of a token, and its first character says that the token is for a short link: then what stands before it
    /// is the path of the public address, even where that is `/u`.
    static func isTokens(_ path: ArraySlice<UInt8>) -> Bool {
        guard path.count == 28, let token = token(path), let first = Base64URL.decode(token.prefix(2) + Array("AA".utf8))?.first else {
            return false
        }
        return first >> 5 == TokenPurpose.shortLink.rawValue
    }
}
