import Text

/// What large mail programs do not support of HTML and CSS: facts of caniemail.com, in our own words, each with its page and the month of
/// the page's last test. Collected in December 2026. What is only less pretty is not listed.
struct ClientSupport {
    enum Feature: Equatable {
        case element(String)
        /// A property of CSS; with these values alone where some are named.
        case property(String, values: [String] = [], except: [String] = [])
        case atRule(String)
        case function(String)
        /// The address of an image ends like this, or begins like this where it ends with a colon.
        case image(String)
    }

    let feature: Feature
    /// Where it does not work.
    let clients: String
    let instead: String
    /// Of caniemail.com/features/.
    let page: String
    let tested: String

    var advice: String { "\(instead) (caniemail.com/features/\(page), tested \(tested))" }

    private init(_ feature: Feature, _ clients: String, do instead: String, _ page: String, _ tested: String) {
        (self.feature, self.clients, self.instead, self.page, self.tested) = (feature, clients, instead, page, tested)
    }

    private static let outlook = "Outlook for Windows"

    static let all: [ClientSupport] = [
        .init(
            .property("position", except: ["static"]), "Gmail and \(outlook)", do: "place things by tables", "css-position", "2021-05"),
        .init(
            .property("display", values: ["flex", "inline-flex"]), outlook, do: "use tables, or inline-block", "css-display-flex",
            "2021-11"),
        .init(
            .property("display", values: ["grid", "inline-grid"]), "Gmail, \(outlook) and Yahoo", do: "use tables", "css-display-grid",
            "2019-02"),
        .init(.property("float", except: ["none"]), outlook, do: "use align on table and img", "css-float", "2019-02"),
        .init(
            .property("background-image"), outlook, do: "give the element a background colour too", "css-background-image", "2019-02"),
        .init(
            .property("max-width"), "\(outlook) (before 2019; later on tables alone)", do: "give a table a width for Outlook",
            "css-max-width", "2019-08"),
        .init(.property("animation"), "Gmail, Outlook and Yahoo", do: "use an animated GIF", "css-animation", "2021-05"),
        .init(.property("transform"), "Gmail, Outlook and Yahoo", do: "put it into an image", "css-transform", "2019-02"),
        .init(.property("filter"), "Gmail, Outlook and Yahoo", do: "put it into the image", "css-filter", "2019-02"),
        .init(.property("opacity"), "\(outlook) and Yahoo", do: "use a paler colour", "css-opacity", "2019-02"),
        .init(.property("object-fit"), "\(outlook) and Yahoo", do: "crop the image", "css-object-fit", "2021-07"),
        .init(.function("var"), "Gmail, Outlook and Yahoo", do: "write the value", "css-variables", "2020-02"),
        .init(.function("calc"), "Outlook and Yahoo", do: "write the value", "css-unit-calc", "2020-02"),
        .init(.atRule("import"), "Gmail, Outlook.com and Yahoo", do: "put the rules into <style>", "css-at-import", "2019-02"),
        .init(
            .atRule("font-face"), "Gmail, Outlook.com and Yahoo", do: "name usual fonts behind your own", "css-at-font-face", "2019-07"),
        .init(.element("link"), "Gmail, Outlook.com and Yahoo", do: "put the rules into <style>", "html-link", "2019-02"),
        .init(.element("svg"), "Gmail, Outlook and Yahoo", do: "use a PNG", "html-svg", "2020-02"),
        .init(.element("video"), "Gmail, Outlook and Yahoo", do: "link an image to the video", "html-video", "2019-09"),
        .init(.element("audio"), "Gmail, Outlook and Yahoo", do: "link to the sound", "html-audio", "2020-04"),
        .init(.element("object"), "Gmail, Outlook and Yahoo", do: "link to it", "html-object", "2021-02"),
        .init(.element("form"), "\(outlook) and for macOS", do: "link to a page with the form", "html-form", "2019-09"),
        .init(.image(".webp"), outlook, do: "use PNG or JPEG", "image-webp", "2021-02"),
        .init(.image(".svg"), "Gmail and \(outlook)", do: "use a PNG", "image-svg", "2023-01"),
        .init(.image("data:"), "Gmail for iOS and \(outlook)", do: "link to an image on a server", "image-base64", "2023-01"),
    ]

    private static let elements = table { if case .element(let name) = $0 { name } else { nil } }
    private static let properties = table { if case .property(let name, _, _) = $0 { name } else { nil } }
    private static let functions = table { if case .function(let name) = $0 { name } else { nil } }
    private static let atRules = table { if case .atRule(let name) = $0 { name } else { nil } }

    private static func table(_ key: (Feature) -> String?) -> [String: [ClientSupport]] {
        Dictionary(grouping: all.filter { key($0.feature) != nil }) { key($0.feature) ?? "" }
    }

    static func element(_ name: String) -> ClientSupport? { elements[name]?.first }

    static func atRule(_ name: String) -> ClientSupport? { atRules[name]?.first }

    /// - Parameter value: in small letters, without white space around it.
    static func declaration(_ name: String, _ value: String) -> [ClientSupport] {
        let word = value.prefix { $0 != " " && $0 != "!" && $0 != "\n" }
        let found = (properties[name] ?? []).filter { support in
            guard case .property(_, let values, let except) = support.feature else { return false }
            return values.isEmpty ? !except.contains(String(word)) : values.contains(String(word))
        }
        return found + functions.keys.filter { value.contains($0 + "(") }.sorted().compactMap { functions[$0]?.first }
    }

    static func image(_ address: String) -> ClientSupport? {
        let path = address.prefix { $0 != "?" && $0 != "#" }.lowercased()
        return all.first {
            guard case .image(let mark) = $0.feature else { return false }
            return mark.hasSuffix(":") ? path.hasPrefix(mark) : path.hasSuffix(mark)
        }
    }
}
