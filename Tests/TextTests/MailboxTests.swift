import Testing
import Text

@Suite struct MailboxTests {
    @Test(
        arguments: [
            ("news@example.com", "", "news@example.com"),
            ("Example Shop <news@Example.com>", "Example Shop", "news@example.com"),
            ("\"Shop, \\\"Example\\\"\" <news@example.com>", "Shop, \"Example\"", "news@example.com"),
            ("Jürgen Müller <j@example.com>", "Jürgen Müller", "j@example.com"),
            (" <news@example.com> ", "", "news@example.com"),
        ])
    func reads(_ text: String, _ name: String, _ address: String) throws {
        let mailbox = try Mailbox(text)
        #expect(mailbox.displayName == name && mailbox.address.description == address)
    }

    @Test(
        arguments: [
            ("", "is empty"), ("Shop", "no @"), ("Shop <news>", "no @"), ("Shop <a@example.com", "angle brackets"),
            ("Shop, Ltd <a@example.com>", "quotation marks"), ("\"Shop <a@example.com>", "closing"),
            ("\"Shop\" Ltd <a@example.com>", "behind the quoted name"),
            ("Shop\r\nBcc: x <a@example.com>", "line break"),
        ])
    func refusesSayingWhy(_ text: String, _ part: String) {
        #expect { try Mailbox(text) } throws: { "\($0)".contains(part) }
    }
}
