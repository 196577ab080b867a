import Text

/// How the pages look that visitors see.
package struct PageLook: Sendable, Equatable {
    /// The sender's name; empty for none.
    package var name: String
    /// The colour of buttons, and that of the page in its light form.
    package var colour: PageColour?
    package var background: PageColour?
    /// A picture with the sender's name, by `https:`.
    package var logo: String?
    /// A page of HTML of one's own, in which `{{content}}` is the page's main part; nil for the built-in one.
    package var template: String?

    package init(
        name: String = "", colour: PageColour? = nil, background: PageColour? = nil, logo: String? = nil, template: String? = nil
    ) {
        (self.name, self.colour, self.background) = (name, colour, background)
        (self.logo, self.template) = (logo, template)
    }

    /// The page's style sheet.
    var css: String {
        var css = Self.base
        if let colour { css += ":root { --action: \(colour.text); --ink: \(colour.isLight ? "#000" : "#fff"); }\n" }
        if let background {
            let text = background.isLight ? "#1b1b1b" : "#eee"
            css += "@media (prefers-color-scheme: light) { :root { --page: \(background.text); --text: \(text); } }\n"
        }
        return css
    }

    /// What tells this style sheet from others in caches; empty for the built-in one.
    var version: String {
        let parts = [colour, background].map { $0.map { String($0.text.dropFirst()) } ?? "" }
        return parts.allSatisfy(\.isEmpty) ? "" : "?" + parts.joined(separator: "-")
    }

    /// Where pictures of the page may come from, for its policy.
    var pictures: String {
        if template != nil { return " img-src https:;" }
        guard let logo, let url = try? ParsedURL(logo) else { return "" }
        return " img-src https://\(URLHost.bracketed(url.host))\(url.port.map { ":\($0)" } ?? "");"
    }

    private static let base = """
        :root { color-scheme: light dark; --text: #1b1b1b; --page: #fff; --action: #0b5; --ink: #000; --focus: #06c; }
        @media (prefers-color-scheme: dark) { :root { --text: #eee; --page: #161616; --action: #3d8; --focus: #8bf; } }
        body { margin: 0; background: var(--page); color: var(--text); font: 1.125rem/1.5 system-ui, sans-serif; }
        header, main { max-width: 34rem; margin: 0 auto; padding: 2rem 1rem; overflow-wrap: anywhere; }
        header { padding-bottom: 0; font-weight: bold; }
        header img { display: block; max-width: 100%; max-height: 4rem; }
        h1 { font-size: 1.75rem; line-height: 1.2; }
        form { margin: 1rem 0; }
        fieldset { margin: 1rem 0; padding: .5rem 1rem; border: 1px solid currentColor; border-radius: .25rem; }
        legend { padding: 0 .25rem; font-weight: bold; }
        .choice { display: flex; gap: .75rem; align-items: flex-start; padding: .5rem 0; }
        .choice input { flex: none; width: 1.5rem; height: 1.5rem; margin: 0; }
        .note { padding: .5rem 1rem; border-inline-start: .25rem solid var(--action); }
        button { font: inherit; padding: .75rem 1.5rem; border: 2px solid transparent; border-radius: .25rem; background: var(--action);
          color: var(--ink); cursor: pointer; }
        button.second { border-color: currentColor; background: transparent; color: var(--text); }
        button:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }

        """
}

/// A colour as `#rgb` or `#rrggbb`.
package struct PageColour: Sendable, Equatable {
    package let text: String
    private let red: Double
    private let green: Double
    private let blue: Double

    package init?(_ text: String) {
        let digits = text.utf8.dropFirst().compactMap(\.hexadecimalValue)
        guard text.hasPrefix("#"), digits.count == text.utf8.count - 1, digits.count == 3 || digits.count == 6 else { return nil }
        let parts = digits.count == 3 ? digits.map { Double($0) * 17 } : [0, 2, 4].map { Double(digits[$0]) * 16 + Double(digits[$0 + 1]) }
        self.text = text
        (red, green, blue) = (parts[0] / 255, parts[1] / 255, parts[2] / 255)
    }

    /// Black on it can be read better than white (WCAG 2.2, "relative luminance").
    var isLight: Bool {
        func linear(_ part: Double) -> Double { part <= 0.03928 ? part / 12.92 : Self.power((part + 0.055) / 1.055) }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) > 0.179
    }

    /// About x to the power of 2.4.
    private static func power(_ x: Double) -> Double { x * x * x.squareRoot().squareRoot() * x.squareRoot().squareRoot().squareRoot() }
}
