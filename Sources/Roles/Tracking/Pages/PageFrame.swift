import Telemetry
import Text

/// What all pages of one language have in common: head, sender, style, and the fields of the answer.
struct PageFrame: Sendable {
    let language: PageLanguage
    private let look: PageLook
    private let base: String

    /// - Parameter base: the path of the tracker's public address.
    init(_ language: PageLanguage, _ look: PageLook, base: String) {
        self.language = language
        self.look = look
        self.base = base
    }

    /// The fields of every answer: no cache keeps it, no other site learns the address or frames the page, and no search engine lists it.
    static func fields(_ type: String, _ more: [(String, String)] = [], caching: String = "no-store") -> WebResponse.Fields {
        .init(
            [
                ("Content-Type", type), ("Cache-Control", caching), ("Referrer-Policy", "no-referrer"),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Robots-Tag", "noindex, nofollow"),
            ] + more)
    }

    /// - Parameters:
    ///   - title: as text.
    ///   - body: as HTML.
    func page(_ status: Int, _ title: String, _ body: String, _ more: [(String, String)] = []) -> WebResponse {
        let policy =
            "default-src 'none'; style-src 'self';\(look.pictures) form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        let fields = Self.fields(
            "text/html; charset=utf-8",
            [("Content-Security-Policy", policy), ("Content-Language", language.code), ("Vary", "Accept-Language")] + more)
        return WebResponse(status, fields, .init(Array(html(title.htmlEscaped, body).utf8)))
    }

    private func html(_ title: String, _ body: String) -> String {
        let content = """
            <main>
            <h1>\(title)</h1>
            \(body)
            </main>
            """
        let name = look.name.htmlEscaped
        let whole = name.isEmpty ? title : "\(title) – \(name)"
        if let template = look.template { return filled(template, whole, name, content) }
        return """
            <!DOCTYPE html>
            <html lang="\(language.code)"\(language.isRightToLeft ? " dir=\"rtl\"" : "")>
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(whole)</title>
            <link rel="stylesheet" href="\(style)">
            </head>
            <body>
            \(header(name))\(content)
            </body>
            </html>

            """
    }

    private var style: String { "\(base)/style.css\(look.version)" }

    /// The sender, above the page.
    private func header(_ name: String) -> String {
        if let logo = look.logo { return "<header><img src=\"\(logo.htmlEscaped)\" alt=\"\(name)\"></header>\n" }
        return name.isEmpty ? "" : "<header>\(name)</header>\n"
    }

    /// A page of the sender's own. What is filled in is not looked at again.
    private func filled(_ template: String, _ title: String, _ name: String, _ content: String) -> String {
        let values = [
            "title": title, "name": name, "content": content, "lang": language.code, "dir": language.isRightToLeft ? "rtl" : "ltr",
            "style_url": style,
        ]
        var out = ""
        var rest = template[...]
        while let begin = rest.firstRange(of: "{{") {
            let end = rest[begin.upperBound...].firstRange(of: "}}")
            guard let end, let value = values[String(rest[begin.upperBound..<end.lowerBound])] else {
                out += rest[..<begin.upperBound]
                rest = rest[begin.upperBound...]
                continue
            }
            out += rest[..<begin.lowerBound]
            out += value
            rest = rest[end.upperBound...]
        }
        return out + rest
    }
}
