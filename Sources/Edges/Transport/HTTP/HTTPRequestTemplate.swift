import CCurl
import FoundationEssentials
import Model
import Text

/// What all requests to one provider have in common, checked and put into libcurl's form once: the URL and the header
/// lines that do not change. What it points to lives as long as it does.
final class HTTPRequestTemplate {
    static let userAgent = "flotilla/0.1"

    /// The URL, parsed: libcurl would otherwise parse it again for each request.
    let url: OpaquePointer
    /// Header lines: `Name: value`; `Name;` for an empty value; `Name:` to send none.
    let lines: UnsafeMutablePointer<curl_slist>?
    /// They prove who we are: they must not go in clear to another machine.
    let hasCredentials: Bool

    /// - Throws: `TransportError` of the action `.pauseMailing` where the provider's host, path or headers cannot be sent.
    init(_ provider: Provider) throws(TransportError) {
        let text = try Self.url(of: provider)
        let lines = try Self.lines(of: provider)
        guard let url = curl_url(), curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK else {
            throw Self.refused(provider, "its host, port and path make no URL")
        }
        self.url = url
        hasCredentials = provider.username != nil || provider.headers.keys.contains(where: Self.isCredential)
        self.lines = lines.reduce(nil) { curl_slist_append($0, $1) }
    }

    deinit {
        curl_url_cleanup(url)
        curl_slist_free_all(lines)
    }

    private static func lines(of provider: Provider) throws(TransportError) -> [String] {
        var lines: [String] = []
        var given: Set<String> = []
        for (name, value) in provider.headers.sorted(by: { $0.key < $1.key }) {
            try check(name: name, value: value.exposed, of: provider)
            given.insert(name.lowercased())
            lines.append(value.exposed.isEmpty ? "\(name);" : "\(name): \(value.exposed)")
        }
        var own = [
            ("content-type", "Content-Type: \(provider.contentType)"), ("user-agent", "User-Agent: \(userAgent)"),
            // Without this libcurl waits up to a second for "100 Continue" before a large body.
            ("expect", "Expect:"),
        ]
        if let username = provider.username {
            let pair = Data("\(username):\(provider.password?.exposed ?? "")".utf8)
            own.append(("authorization", "Authorization: Basic \(pair.base64EncodedString())"))
        }
        guard isText(provider.contentType) else {
            throw refused(provider, "its content type has a control character")
        }
        for (name, line) in own where !given.contains(name) { lines.append(line) }
        return lines
    }

    /// `scheme://host:port/path`, with the characters that RFC 3986 does not allow percent-encoded in the path.
    private static func url(of provider: Provider) throws(TransportError) -> String {
        let host = provider.host
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && !"/?#@\\".utf8.contains($0) }) else {
            throw refused(provider, "its host is not a name or an address")
        }
        guard (1...65_535).contains(provider.port) else {
            throw refused(provider, "its port \(provider.port) is not between 1 and 65535")
        }
        // An IPv6 address stands in brackets (RFC 3986 section 3.2.2).
        let authority = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        let path = PercentEncoding.encode(provider.path) { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }
        let start = path.hasPrefix("/") ? "" : "/"
        return "\(provider.scheme.rawValue)://\(authority):\(provider.port)\(start)\(path)"
    }

    /// Whether a header's value is a secret, by the names that services give such: `Authorization`, `X-Api-Key`, `X-Auth-Token`,
    /// `Cookie`, `X-Signature` and the like.
    static func isCredential(_ name: String) -> Bool {
        let name = name.lowercased()
        return [
            "auth", "key", "token", "secret", "passw", "pwd", "cookie", "credential", "session", "signature", "bearer", "jwt",
        ].contains(where: name.contains)
    }

    private static let reserved: Set<String> = [
        "idempotency-key", "content-length", "transfer-encoding", "connection", "expect",
    ]

    private static func check(name: String, value: String, of provider: Provider) throws(TransportError) {
        // A token of RFC 9110 section 5.6.2.
        let isToken = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
        guard isToken, !name.isEmpty else {
            throw refused(provider, "'\(SingleLine.clean(name.utf8, longest: HTTPErrorText.longest))' is no header name")
        }
        guard isText(value) else { throw refused(provider, "the header '\(name)' has a control character") }
        guard !reserved.contains(name.lowercased()) else {
            throw refused(provider, "the header '\(name)' is Flotilla's own; leave it out")
        }
    }

    private static func isText(_ value: String) -> Bool {
        value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }
    }

    private static func refused(_ provider: Provider, _ what: String) -> TransportError {
        TransportError(
            description: "provider '\(provider.name)': \(what); correct it in the configuration", action: .pauseMailing,
            stage: .connect)
    }
}
