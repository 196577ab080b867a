import Text

/// The schemes of URLs that a value may bring into a link.
enum URLScheme {
    /// Those that pages may register handlers for (HTML Standard, "safelisted scheme"), and those of links and images in e-mails.
    /// None of them runs a script.
    private static let harmless: Set<[UInt8]> = Set(
        """
        http https mailto tel cid mid ftp ftps sftp bitcoin ethereum geo im irc ircs magnet matrix mms news nntp openpgp4fpr sip sips sms \
        smsto ssh urn webcal whatsapp wtai xmpp facetime facetime-audio market itms itms-apps
        """.split(separator: " ").map { Array($0.utf8) })

    /// A URL has a harmless scheme, or none and is relative.
    static func isHarmless(_ url: Bytes) -> Bool {
        guard let end = url.firstIndex(where: { ":/?#".utf8.contains($0) }), url[end] == UInt8(ascii: ":") else { return true }
        return harmless.contains(url[..<end].map(\.lowercased))
    }
}
