import Telemetry

/// Answers that are the same in all languages: they are for programs, or have no text.
struct FixedAnswers: Sendable {
    let pixel = WebResponse(200, PageFrame.fields("image/gif", [("Cross-Origin-Resource-Policy", "cross-origin")]), .init(Self.gif))
    let noMethod = text(405, "only GET, HEAD and POST\n", [("Allow", "GET, HEAD, POST")])
    let onlyRead = text(405, "only GET and HEAD\n", [("Allow", "GET, HEAD")])
    let healthy = text(200, "ok\n")
    let noDomain = text(404, "not a domain of this tracker\n")
    let style: WebResponse

    init(_ look: PageLook) {
        style = WebResponse(
            200, PageFrame.fields("text/css; charset=utf-8", caching: "public, max-age=86400"), .init(Array(look.css.utf8)))
    }

    private static let moved = PageFrame.fields("text/plain; charset=utf-8")

    /// Leads to a target of a message, without telling it the address of the link.
    func redirect(to target: [UInt8]) -> WebResponse { WebResponse(302, Self.moved, location: Self.location(target)) }

    /// A target may have letters of other alphabets, which a header has not: they are written as browsers do (RFC 3987 section 3.1).
    private static func location(_ target: [UInt8]) -> String {
        if target.allSatisfy({ 0x21...0x7e ~= $0 }) { return String(decoding: target, as: UTF8.self) }
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in target {
            if 0x21...0x7e ~= byte { out.append(byte) } else { out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func text(_ status: Int, _ text: String, _ more: [(String, String)] = []) -> WebResponse {
        WebResponse(status, PageFrame.fields("text/plain; charset=utf-8", more), .init(Array(text.utf8)))
    }

    /// The fields of a message that is shown in a browser: it runs no scripts and sends no forms, whoever wrote it. Its links leave.
    private static let shown = WebResponse.Fields([
        ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "private, max-age=60"), ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"), ("X-Robots-Tag", "noindex, nofollow"),
        (
            "Content-Security-Policy",
            """
            default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline' https:; font-src https: data:; media-src https:; \
            script-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
            sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation
            """
        ),
    ])

    /// A message, as HTML.
    func message(_ html: [UInt8]) -> WebResponse { WebResponse(200, Self.shown, .init(html)) }

    /// One transparent point: 43 bytes.
    private static let gif: [UInt8] = [
        0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21, 0xf9, 4, 1, 0, 0, 0, 0, 0x2c, 0, 0, 0,
        0,
        1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b,
    ]
}
