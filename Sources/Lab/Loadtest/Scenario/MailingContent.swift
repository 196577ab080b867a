import Model

/// What the mailings of a load test say: two kilobytes of HTML with six fields by e-mail, some hundred bytes elsewhere, made for
/// the columns of `flotilla-lab generate recipients`.
enum MailingContent {
    /// The text of a mailing file.
    static func yaml(_ plan: Scenario.MailingPlan, name: String, recipients file: String) -> String {
        var lines = [
            "name: \(quoted(name))", "channel: \(plan.channel.rawValue)", "provider: \(plan.provider)",
            "recipients: {file: \(quoted(file)), id: id, address: \(plan.channel == .sms ? "phone" : "email")}",
        ]
        if let speed = plan.speed { lines.append("speed: \"\(speed)\"") }
        for (key, value) in plan.extra.sorted(by: { $0.key < $1.key }) { lines.append("\(key): \(quoted(value))") }
        lines += content(plan.channel)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func content(_ channel: Channel) -> [String] {
        switch channel {
        case .email:
            [
                "from: \"Example Shop <news@example.com>\"", "subject: \"{{first_name}}, 20 % off until Sunday\"",
                "html: |",
            ] + html.split(separator: "\n").map { "  \($0)" }
        case .sms, .messenger:
            [
                "text: |",
                "  {{first_name}}, {{product}} is in stock again in {{city}}: 20 % off until Sunday with {{coupon}}.",
            ]
        case .webhook: ["body: |"] + body.split(separator: "\n").map { "  \($0)" }
        }
    }

    /// As a YAML text between quotation marks, which is a JSON string.
    private static func quoted(_ text: String) -> String {
        let escaped = text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
        return "\"\(escaped)\""
    }

    private static let sentence = """
        <p>Our spring collection has light coats for cool mornings, shirts of linen for warm days, and shoes that take you \
        through both. Every piece is made to be worn for years, and mended where it tears.</p>
        """

    private static let html = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>20 % off until Sunday</title></head>
        <body style="margin:0;background:#f4f1ea;font-family:Georgia,serif;color:#22303c">
        <div style="max-width:560px;margin:24px auto;background:#ffffff;padding:32px">
        <h1>{{first_name}}, spring is here</h1>
        <p>Dear {{first_name}} {{last_name}}, until Sunday all costs 20 % less, in our shop in {{city}} as well as online.</p>
        <p>You looked at <strong>{{product}}</strong> not long ago; it is in stock again. Your own code: {{coupon}}</p>
        \([String](repeating: sentence, count: 6).joined(separator: "\n"))
        <p><a href="https://shop.example.com/spring?from=mail&amp;code={{coupon}}">See the spring collection</a></p>
        <p>Yours,<br>Example Shop, 1 Market Square, Sampletown</p>
        </div></body></html>
        """

    private static let body = """
        {"to": "{{email}}", "name": "{{first_name}} {{last_name}}", "language": "{{language}}", "template": "back-in-stock",
        "data": {"city": "{{city}}", "product": "{{product}}", "coupon": "{{coupon}}"}}
        """
}
