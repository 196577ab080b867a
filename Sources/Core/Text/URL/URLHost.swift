/// The host of a URL in the one form in which two spellings of it are equal (RFC 3986 sections 3.2.2 and 6.2.2).
package enum URLHost {
    /// Reads what stands between a URL's user and port: a name, an IPv4 address, or an IPv6 address in brackets.
    /// - Returns: a name in lower case without a dot at its end; an IPv6 address without brackets (RFC 5952), with its zone if it
    ///   has one.
    /// - Throws: `URLSyntaxError`.
    package static func canonical(_ text: some StringProtocol) throws(URLSyntaxError) -> String {
        if text.hasPrefix("[") {
            guard text.hasSuffix("]") else { throw URLSyntaxError("has no ']' behind the IPv6 address") }
            return try version6(Substring(text.dropFirst().dropLast()))
        }
        guard let decoded = PercentEncoding.decode(text) else {
            throw URLSyntaxError("has a '%' in the host without two hexadecimal digits behind it")
        }
        return try name(decoded)
    }

    /// A host as it stands in a URL: an IPv6 address in brackets, a `%` before its zone encoded (RFC 6874).
    package static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host.replacing("%", with: "%25"))]" : host
    }

    /// Whether a host, in its canonical form, is this machine by its name or address alone (RFC 6761 section 6.3, RFC 1122 section
    /// 3.2.1.3, RFC 4291 section 2.5.3).
    package static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        guard let number = IPAddress.number(Array(host.utf8)) else { return false }
        return number == 1 || number >> 24 == 0xffff_7f
    }

    private static func name(_ text: String) throws(URLSyntaxError) -> String {
        let name = (text.hasSuffix(".") ? text.dropLast() : text[...]).lowercased()
        guard !name.isEmpty else { throw URLSyntaxError("has no host") }
        for scalar in name.unicodeScalars where scalar.value >= 0x80 {
            throw URLSyntaxError("has the character '\(scalar)' in the host; write the name in its ASCII form, xn--…")
        }
        // Underscores too: container networks have them in names of services.
        if let bad = name.utf8.first(where: { !$0.isLetterOrDigit && !"-._".utf8.contains($0) }) {
            throw URLSyntaxError("has the character '\(Unicode.Scalar(bad))' in the host")
        }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard !labels.contains(where: \.isEmpty) else { throw URLSyntaxError("has a part of the host that is empty") }
        // inet_aton reads 127.1, 0x7f.1 and 017700000001 as addresses, too: one machine would have many names.
        guard !isNumber(labels[labels.count - 1]) || IPAddress.isVersion4(name.utf8) else {
            throw URLSyntaxError("has a host that ends in a number; write an IPv4 address as four numbers: 127.0.0.1")
        }
        return name
    }

    private static func isNumber(_ label: Substring.UTF8View) -> Bool {
        label.allSatisfy(\.isDigit) || label.starts(with: "0x".utf8) && label.dropFirst(2).allSatisfy { $0.hexadecimalValue != nil }
    }

    private static func version6(_ text: Substring) throws(URLSyntaxError) -> String {
        let address = text.prefix { $0 != "%" }
        guard let canonical = IPAddress.canonicalVersion6(address.utf8) else {
            throw URLSyntaxError("has no IPv6 address between the brackets")
        }
        guard address.endIndex < text.endIndex else { return canonical }
        // The zone: %25eth0 by RFC 6874, and %eth0 as everybody writes it.
        var zone = text[address.endIndex...].dropFirst()
        if zone.hasPrefix("25"), zone.count > 2 { zone = zone.dropFirst(2) }
        guard !zone.isEmpty, zone.utf8.allSatisfy({ $0.isLetterOrDigit || "-._".utf8.contains($0) }) else {
            throw URLSyntaxError("has no name of an interface behind the '%' of its IPv6 address")
        }
        return "\(canonical)%\(zone)"
    }
}
