import Model
import Policy
import Signing
import Telemetry
import Text

extension Setting where Value == Int {
    static func integer(_ name: String, _ range: ClosedRange<Int>, default text: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "integer", allowed: "\(range.lowerBound) to \(range.upperBound)", default: text),
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Setting where Value == Int {
    static func size(_ name: String, _ range: ClosedRange<Int>, default text: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "size", allowed: "\(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound))", default: text),
            parse: { ByteSize.parse($0).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Setting where Value == BrakeLimit {
    static func brakeLimit(_ name: String, default text: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "shares", allowed: "`WARN/PAUSE` in percent, 0.001 to 100, of which one may be `off`; or `off`", default: text),
            parse: { BrakeLimit($0) })
    }
}

extension Setting where Value == Duration {
    static func duration(
        _ name: String, _ range: ClosedRange<Duration>, default text: String? = nil, shown: String? = nil,
        _ meaning: String
    ) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "duration", allowed: "\(range.lowerBound.settingText) to \(range.upperBound.settingText)", default: text, shown: shown
            ), parse: { Duration(settingText: $0).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Setting where Value == String {
    static func text(_ name: String, default text: String? = nil, shown: String? = nil, _ meaning: String) -> Self {
        Self(name, meaning, SettingKey.Form(type: "text", allowed: "any text", default: text, shown: shown), parse: { $0 })
    }

    static func file(_ name: String, allowed: String = "a PEM file", _ meaning: String) -> Self {
        Self(name, meaning, SettingKey.Form(type: "path", allowed: allowed), parse: { $0 })
    }

    /// A name inside other names: letters, digits and `-_.:`.
    static func name(_ name: String, default text: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "text", allowed: "1 to 64 of a-z, A-Z, 0-9, `-`, `_`, `.`, `:`", default: text),
            parse: { text in
                let isName = text.utf8.allSatisfy { $0.isLetterOrDigit || "-_.:".utf8.contains($0) }
                return isName && (1...64).contains(text.utf8.count) ? text : nil
            })
    }

    /// A domain name (RFC 1123, section 2.1) or an address literal (RFC 5321, section 4.1.3).
    static func hostName(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "text", allowed: "a domain name, or an address literal `[192.0.2.1]`", shown: shown),
            parse: { DomainName.isValidOrLiteral($0) ? $0 : nil })
    }

    static func domain(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "text", allowed: "a domain in small letters, as `news.example.com`", shown: shown),
            parse: { $0.contains(".") && $0 == $0.lowercased() && DomainName.isValid($0) ? $0 : nil })
    }

    static func senderID(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(type: "text", allowed: "5 to 15 characters of ASCII without blanks, colons, `{}` and `<>`", shown: shown),
            parse: { SenderHeaders.isSender($0) ? $0 : nil })
    }

    /// The content type of a body, in which values can be escaped.
    static func contentType(_ name: String, default text: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "text",
                allowed: BodyFormat.types.map { "`\($0)`" }.joined(separator: ", ") + ", a type that ends with "
                    + BodyFormat.suffixes.map { "`\($0)`" }.joined(separator: " or ") + "; in UTF-8",
                default: text),
            parse: { $0.utf8.contains(where: \.isControl) || BodyFormat(contentType: $0) == nil ? nil : $0 })
    }
}

extension Setting where Value == String {
    /// The address that links begin with. It stands in headers, in HTML and in JSON, and so has no sign that any of them would escape.
    static func trackerURL(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "URL",
                allowed: "`https://host[:port][/path]`, 200 bytes at most; the path of letters, digits, `-`, `.`, `_`, `~`, `/`",
                shown: shown, display: .url),
            parse: { text in
                guard text.utf8.count <= 200, let url = try? ParsedURL(text), ["http", "https"].contains(url.scheme), !url.host.isEmpty,
                    url.username == nil, url.password == nil,
                    url.path.utf8.allSatisfy({ PercentEncoding.isUnreserved($0) || $0 == UInt8(ascii: "/") })
                else { return nil }
                let path = url.path.reversed().drop { $0 == "/" }.reversed()
                return "\(url.scheme)://\(URLHost.bracketed(url.host))\(url.port.map { ":\($0)" } ?? "")\(String(path))"
            })
    }
}

extension Setting where Value == String {
    static func colour(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "colour", allowed: "`#rgb` or `#rrggbb`", shown: shown),
            parse: { text in
                let digits = text.utf8.dropFirst()
                return text.hasPrefix("#") && [3, 6].contains(digits.count) && digits.allSatisfy { $0.hexadecimalValue != nil } ? text : nil
            })
    }

    /// The address of a picture, which stands in HTML and, without its path, in a header.
    static func picture(_ name: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(type: "URL", allowed: "`https://host[:port]/path`, 500 bytes at most", shown: "none", display: .url),
            parse: { text in
                guard text.utf8.count <= 500, let url = try? ParsedURL(text), url.scheme == "https", !url.host.isEmpty, url.username == nil,
                    url.password == nil, text.utf8.allSatisfy({ 0x21...0x7e ~= $0 && !"\"'<>;,".utf8.contains($0) })
                else { return nil }
                return text
            })
    }
}

extension Setting where Value == LedgerPlace {
    static func ledgerURL(_ name: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "URL", allowed: "`postgres://user@host[:port]/database` with libpq's parameters, `sqlite:PATH`, or a path",
                display: .url),
            parse: { LedgerPlace($0) })
    }
}

extension Setting where Value == String {
    /// A file that may have been meant as a URL: what was mistyped shows no password.
    static func ledgerPath(_ name: String, default text: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "path", allowed: "a path; a URL stands in `ledger.url`", default: text, display: .url),
            parse: { LedgerPlace.isMistypedURL($0) ? nil : $0 })
    }
}

extension Setting where Value == Secret {
    static func secret(_ name: String, _ meaning: String) -> Self {
        Self(name, meaning, SettingKey.Form(type: "secret", allowed: "any text", display: .nothing), parse: { Secret($0) })
    }

    static func headerValue(_ name: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "secret", allowed: "one line", display: .nothing),
            parse: { $0.utf8.contains(where: \.isControl) ? nil : Secret($0) })
    }
}

extension Setting where Value == RedisURL {
    static func redisURL(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "URL", allowed: "`redis://host[:port]`, `rediss://host[:port]`, `unix:///path`; a user and password before the host",
                shown: shown, display: .url),
            parse: { text in
                // Fleets on one Redis are told apart by `redis.prefix`, and a Redis Cluster has no other database than 0.
                guard let url = try? RedisURL(text), url.database == 0 else { return nil }
                return url
            })
    }
}

extension Setting where Value == Provider {
    /// The name is that of the URL until the provider's section replaces it.
    static func providerURL(_ name: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "URL",
                allowed: "`smtp://host[:port]`, `smtps://host[:port]`, `http(s)://host[:port][/path]`; a user and password before the host",
                display: .url), parse: { try? ProviderURL.parse($0, allowingPassword: true) })
    }
}

extension Setting where Value == ReturnPath {
    static func returnPath(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "text",
                allowed:
                    "a domain, or an address whose local part has \(ReturnPath.longestLocalPart) letters, digits, `-`, `_`, `.` at most",
                shown: shown),
            parse: { ReturnPath($0) })
    }
}

extension Setting where Value == ListenAddress? {
    static func listen(_ name: String, default text: String? = nil, shown: String? = nil, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(type: "address", allowed: "`host:port`, `[IPv6]:port`, or `off`", default: text, shown: shown),
            parse: { $0 == "off" ? .some(nil) : ListenAddress($0).map { .some($0) } ?? nil })
    }
}

extension Setting where Value == ListenAddress {
    static func address(_ name: String, default text: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "address", allowed: "`host:port` or `[IPv6]:port`", default: text),
            parse: { ListenAddress($0) })
    }
}

extension Setting where Value == [IPNetwork] {
    /// Networks as a list, or as one text with spaces between them.
    static func networks(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(type: "list", allowed: "IP addresses and networks: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`", shown: shown),
            list: { texts in
                let texts = texts.flatMap { $0.split(separator: " ") }
                let networks = texts.compactMap { IPNetwork($0) }
                return networks.count == texts.count ? networks : nil
            })
    }
}

extension Setting where Value == RateLimit? {
    /// `none` is no limit.
    static func limit(_ name: String, default text: String? = nil, shown: String? = nil, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "limit", allowed: "`500/s`, `6000/min,burst=50` (units s, min, h, d), or `none`", default: text, shown: shown),
            parse: { text in
                do { return try .some(RateLimit.orNone(text)) } catch { return nil }
            })
    }
}

extension Setting where Value == [String] {
    /// Domains as a list, or as one text with spaces between them.
    static func domainNames(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            name, meaning,
            SettingKey.Form(
                type: "list", allowed: "domains in small letters, each `example.com`, or `*.example.com` for all below it", shown: shown),
            list: { texts in
                let names = texts.flatMap { $0.split(separator: " ").map(String.init) }
                return !names.isEmpty && names.allSatisfy(HostName.isPattern) ? names : nil
            })
    }
}

extension Setting where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    static func choice(_ name: String, _: Value.Type, default text: String, _ meaning: String) -> Self {
        Self(
            name, meaning, SettingKey.Form(type: "choice", allowed: Value.allCases.map(\.rawValue).joined(separator: ", "), default: text),
            parse: { Value(rawValue: $0) })
    }
}

extension Setting {
    static func list<Element>(_ name: String, _: Element.Type, shown: String, _ meaning: String) -> Self
    where Value == [Element], Element: CaseIterable & RawRepresentable & Equatable, Element.RawValue == String {
        let all = Element.allCases.map(\.rawValue).joined(separator: ", ")
        return Self(
            name, meaning, SettingKey.Form(type: "list", allowed: "at least one of \(all)", shown: shown),
            list: { texts in
                var values: [Element] = []
                for text in texts {
                    guard let value = Element(rawValue: text) else { return nil }
                    if !values.contains(value) { values.append(value) }
                }
                return values.isEmpty ? nil : values
            })
    }
}
