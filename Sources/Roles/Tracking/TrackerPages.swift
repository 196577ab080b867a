import Telemetry

/// What visitors see: plain HTML that works without scripts, and never says more about a recipient than the visitor knows.
struct TrackerPages: Sendable {
    let pixel: WebResponse
    let unsubscribe: WebResponse
    let unsubscribed: WebResponse
    let preferences: WebResponse
    let subscribed: WebResponse
    /// For a token that is none, for whatever reason.
    let refused: WebResponse
    /// For a choice that cannot be kept now.
    let later: WebResponse
    let nothing: WebResponse
    let noMethod: WebResponse
    let onlyRead: WebResponse
    let healthy: WebResponse
    let noDomain: WebResponse
    let style: WebResponse

    /// The query with which the page of choices subscribes again.
    static let again = "?again"

    /// - Parameter base: the path of the tracker's public address.
    init(base: String) {
        pixel = WebResponse(200, Self.fields("image/gif", [("Cross-Origin-Resource-Policy", "cross-origin")]), .init(Self.gif))
        unsubscribe = Self.page(
            200, base, "Unsubscribe",
            """
            <p>Do you want to stop getting these messages? Nothing changes until you press the button.</p>
            <form method="post"><button type="submit">Unsubscribe</button></form>
            """)
        unsubscribed = Self.page(
            200, base, "You are unsubscribed",
            """
            <p>You will not get these messages any more. You can close this page.</p>
            <p>If the sender has erased your data meanwhile, no address of yours is known there, and there was nothing to change.</p>
            """)
        preferences = Self.page(
            200, base, "Your messages",
            """
            <p>Do you want to get these messages? Nothing changes until you press a button.</p>
            <form method="post" action="?"><button type="submit">Stop these messages</button></form>
            <form method="post" action="\(Self.again)"><button type="submit">Get these messages again</button></form>
            """)
        subscribed = Self.page(
            200, base, "You are subscribed",
            """
            <p>You will get these messages again, if the sender still has your address. You can close this page.</p>
            """)
        refused = Self.page(
            404, base, "This link does not work",
            "<p>It may have been cut off or changed on its way. Try the link in the message itself, or copy it again as a whole.</p>")
        later = Self.page(
            503, base, "That did not work",
            """
            <p>Nothing has changed, because there is a fault here. Please try again in a minute.</p>
            <form method="post"><button type="submit">Try again</button></form>
            """, [("Retry-After", "60")])
        nothing = Self.page(404, base, "There is nothing here", "<p>The address is of no message.</p>")
        noMethod = Self.text(405, "only GET, HEAD and POST\n", [("Allow", "GET, HEAD, POST")])
        onlyRead = Self.text(405, "only GET and HEAD\n", [("Allow", "GET, HEAD")])
        healthy = Self.text(200, "ok\n")
        noDomain = Self.text(404, "not a domain of this tracker\n")
        style = WebResponse(200, Self.fields("text/css; charset=utf-8", caching: "public, max-age=86400"), .init(Array(Self.css.utf8)))
    }

    private static let moved = fields("text/plain; charset=utf-8")

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

    /// The fields of every answer: no cache keeps it, no other site learns the address or frames the page, and no search engine lists it.
    private static func fields(_ type: String, _ more: [(String, String)] = [], caching: String = "no-store") -> WebResponse.Fields {
        .init(
            [
                ("Content-Type", type), ("Cache-Control", caching), ("Referrer-Policy", "no-referrer"),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Robots-Tag", "noindex, nofollow"),
            ] + more)
    }

    private static func text(_ status: Int, _ text: String, _ more: [(String, String)] = []) -> WebResponse {
        WebResponse(status, fields("text/plain; charset=utf-8", more), .init(Array(text.utf8)))
    }

    private static func page(
        _ status: Int, _ base: String, _ title: String, _ body: String, _ more: [(String, String)] = []
    ) -> WebResponse {
        let policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        let html = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <link rel="stylesheet" href="\(base)/style.css">
            </head>
            <body>
            <main>
            <h1>\(title)</h1>
            \(body)
            </main>
            </body>
            </html>

            """
        let fields = fields("text/html; charset=utf-8", [("Content-Security-Policy", policy)] + more)
        return WebResponse(status, fields, .init(Array(html.utf8)))
    }

    private static let css = """
        :root { color-scheme: light dark; --text: #1b1b1b; --page: #fff; --action: #0b5; --ink: #000; --focus: #06c; }
        @media (prefers-color-scheme: dark) { :root { --text: #eee; --page: #161616; --action: #3d8; --focus: #8bf; } }
        body { margin: 0; background: var(--page); color: var(--text); font: 1.125rem/1.5 system-ui, sans-serif; }
        main { max-width: 34rem; margin: 0 auto; padding: 2rem 1rem; }
        h1 { font-size: 1.75rem; line-height: 1.2; }
        form { margin: 1rem 0; }
        button { font: inherit; padding: .75rem 1.5rem; border: 2px solid transparent; border-radius: .25rem; background: var(--action);
          color: var(--ink); cursor: pointer; }
        button:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }

        """

    /// One transparent point: 43 bytes.
    private static let gif: [UInt8] = [
        0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21, 0xf9, 4, 1, 0, 0, 0, 0, 0x2c, 0, 0, 0,
        0,
        1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b,
    ]
}
