import Model
import Policy
import Telemetry

extension Setting where Value == Int {
    static func integer(_ name: String, _ range: ClosedRange<Int>, default text: String, _ meaning: String) -> Self {
        Self(
            .init(name, type: "integer", default: text, allowed: "\(range.lowerBound) to \(range.upperBound)", meaning),
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Setting where Value == Duration {
    static func duration(
        _ name: String, _ range: ClosedRange<Duration>, default text: String? = nil, shown: String? = nil,
        _ meaning: String
    ) -> Self {
        Self(
            .init(
                name, type: "duration", default: text, shown: shown,
                allowed: "\(range.lowerBound.settingText) to \(range.upperBound.settingText)", meaning),
            parse: { Duration(settingText: $0).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Setting where Value == String {
    static func text(_ name: String, default text: String? = nil, shown: String? = nil, _ meaning: String) -> Self {
        Self(.init(name, type: "text", default: text, shown: shown, allowed: "any text", meaning), parse: { $0 })
    }

    static func file(_ name: String, allowed: String = "a PEM file", _ meaning: String) -> Self {
        Self(.init(name, type: "path", allowed: allowed, meaning), parse: { $0 })
    }

    /// A name inside other names: letters, digits and `-_.:`.
    static func name(_ name: String, default text: String, _ meaning: String) -> Self {
        Self(
            .init(name, type: "text", default: text, allowed: "1 to 64 of a-z, A-Z, 0-9, `-`, `_`, `.`, `:`", meaning),
            parse: { text in
                let isName = text.utf8.allSatisfy { $0.isLetterOrDigit || "-_.:".utf8.contains($0) }
                return isName && (1...64).contains(text.utf8.count) ? text : nil
            })
    }

    /// A domain name (RFC 1123, section 2.1) or an address literal (RFC 5321, section 4.1.3).
    static func hostName(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            .init(name, type: "text", shown: shown, allowed: "a domain name, or an address literal `[192.0.2.1]`", meaning),
            parse: { HostName.isValid($0) ? $0 : nil })
    }

    static func headerText(_ name: String, default text: String, _ meaning: String) -> Self {
        Self(
            .init(name, type: "text", default: text, allowed: "one line", meaning),
            parse: { $0.utf8.contains(where: \.isControl) ? nil : $0 })
    }
}

extension Setting where Value == Secret {
    static func secret(_ name: String, _ meaning: String) -> Self {
        Self(.init(name, type: "secret", allowed: "any text", meaning, display: .nothing), parse: { Secret($0) })
    }

    static func headerValue(_ name: String, _ meaning: String) -> Self {
        Self(
            .init(name, type: "secret", allowed: "one line", meaning, display: .nothing),
            parse: { $0.utf8.contains(where: \.isControl) ? nil : Secret($0) })
    }
}

extension Setting where Value == RedisURL {
    static func redisURL(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            .init(name, type: "URL", shown: shown, allowed: RedisURL.allowed, meaning, display: .url),
            parse: { RedisURL($0) })
    }
}

extension Setting where Value == Provider {
    /// The provider has an empty name until its section gives it one.
    static func providerURL(_ name: String, _ meaning: String) -> Self {
        Self(
            .init(name, type: "URL", allowed: Provider.allowedURLs, meaning, display: .url),
            parse: { Provider(name: "", url: $0) })
    }
}

extension Setting where Value == ListenAddress? {
    static func listen(_ name: String, default text: String, _ meaning: String) -> Self {
        Self(
            .init(name, type: "address", default: text, allowed: "`host:port`, `[IPv6]:port`, or `off`", meaning),
            parse: { $0 == "off" ? .some(nil) : ListenAddress($0).map { .some($0) } ?? nil })
    }
}

extension Setting where Value == RateLimit? {
    /// `none` is no limit.
    static func limit(_ name: String, default text: String? = nil, shown: String? = nil, _ meaning: String) -> Self {
        Self(
            .init(
                name, type: "limit", default: text, shown: shown,
                allowed: "`500/s`, `6000/min,burst=50` (units s, min, h, d), or `none`", meaning),
            parse: { text in
                do { return try .some(RateLimit.orNone(text)) } catch { return nil }
            })
    }
}

extension Setting where Value == [String] {
    /// Domains as a list, or as one text with spaces between them.
    static func domainNames(_ name: String, shown: String, _ meaning: String) -> Self {
        Self(
            .init(
                name, type: "list", shown: shown,
                allowed: "domains in small letters, each `example.com`, or `*.example.com` for all below it", meaning),
            list: { texts in
                let names = texts.flatMap { $0.split(separator: " ").map(String.init) }
                return !names.isEmpty && names.allSatisfy(HostName.isPattern) ? names : nil
            })
    }
}

extension Setting where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    static func choice(_ name: String, _: Value.Type, default text: String, _ meaning: String) -> Self {
        Self(
            .init(
                name, type: "choice", default: text, allowed: Value.allCases.map(\.rawValue).joined(separator: ", "),
                meaning), parse: { Value(rawValue: $0) })
    }
}

extension Setting {
    static func list<Element>(_ name: String, _: Element.Type, shown: String, _ meaning: String) -> Self
    where Value == [Element], Element: CaseIterable & RawRepresentable & Equatable, Element.RawValue == String {
        let all = Element.allCases.map(\.rawValue).joined(separator: ", ")
        return Self(
            .init(name, type: "list", shown: shown, allowed: "at least one of \(all)", meaning),
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

extension UInt8 {
    /// Of ASCII.
    var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// C0 and DEL.
    var isControl: Bool { self < 0x20 || self == 0x7f }
}
