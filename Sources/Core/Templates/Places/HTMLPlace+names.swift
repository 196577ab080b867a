/// The elements and attributes on which the place of a value depends, in lower case.
extension HTMLPlace {
    static func isURL(_ attribute: [UInt8]) -> Bool { urlAttributes.contains(attribute) || listAttributes.contains(attribute) }

    static let rawElements = names("script style title textarea xmp iframe noembed noframes")
    /// Raw elements in whose text entities are not read (HTML Standard section 13.2.5.3). `noscript` is one only where scripts run, and
    /// shows nothing there.
    static let unreadElements = names("xmp iframe noembed noframes")
    static let plaintext = Array("plaintext".utf8)
    /// Attributes that hold one URL.
    static let urlAttributes = names(
        "href src action formaction background cite data longdesc poster profile manifest classid codebase icon lowsrc dynsrc usemap "
            + "xlink:href")
    /// Attributes that hold several.
    static let listAttributes = names("srcset imagesrcset ping archive")

    static let meta = Array("meta".utf8)
    static let content = Array("content".utf8)
    static let document = Array("srcdoc".utf8)
    /// Attributes with such names hold text, whatever follows the prefix.
    static let harmlessPrefixes = names("data- aria-")

    private static func names(_ list: String) -> Set<[UInt8]> { Set(list.split(separator: " ").map { Array($0.utf8) }) }
}
