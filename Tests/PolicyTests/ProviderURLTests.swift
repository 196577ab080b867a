import Model
import Policy
import Testing

@Suite struct ProviderURLTests {
    @Test(
        arguments: [
            ("smtp://127.0.0.1:2525", Provider.Scheme.smtp, "127.0.0.1", 2525, "/"),
            ("smtp://mail.example", .smtp, "mail.example", 25, "/"),
            ("smtps://Mail.Example/", .smtps, "mail.example", 465, "/"),
            ("http://[::1]:8080/a/b?c=d", .http, "::1", 8080, "/a/b?c=d"),
            ("HTTPS://api.example?x=1", .https, "api.example", 443, "/?x=1"),
            ("http://sms_gateway", .http, "sms_gateway", 80, "/"),
        ])
    func reads(_ text: String, _ scheme: Provider.Scheme, _ host: String, _ port: Int, _ path: String) throws {
        let provider = try ProviderURL.parse(text)
        #expect(provider.scheme == scheme && provider.host == host && provider.port == port && provider.path == path)
        #expect(provider.username == nil && provider.password == nil)
    }

    @Test func namesTheProviderByItsPlace() throws {
        #expect(try ProviderURL.parse("smtp://u%40x@Mail.Example").name == "smtp://mail.example:25")
        #expect(try ProviderURL.parse("http://[2001:db8::1]/x").name == "http://[2001:db8::1]:80")
        #expect(try ProviderURL.parse("smtp://u%40x@mail.example").username == "u@x")
    }

    @Test(
        arguments: [
            ("mail.example", "is no URL"), ("ftp://x", "none of smtp, smtps, http, https"), ("smtp://", "has no host"),
            ("smtp://:25", "has no host"), ("smtp://x:0", "no number from 1 to 65535"), ("smtp://x:99999", "65535"),
            ("smtp://x:a", "65535"), ("smtp://x:", "65535"), ("smtp://x/path", "has a path"),
            ("http://x y/", "white space"),
            ("http://x/#f", "fragment"), ("http://[::1", "no ']'"), ("http://[zz]", "no IPv6"),
            ("http://[::1]x", "behind the IPv6"),
            ("http://1:2:3", "more than one ':'"), ("smtp://@x", "user name"), ("smtp://%zz@x", "hexadecimal"),
            ("smtp://%0a@x", "hexadecimal"), ("http://a$b", "'$'"),
        ])
    func refusesSayingWhy(_ text: String, _ part: String) {
        #expect { try ProviderURL.parse(text) } throws: { "\($0)".contains(part) }
    }

    @Test func refusesAPasswordWithoutRepeatingIt() {
        #expect { try ProviderURL.parse("smtp://user:s3cret@mail.example") } throws: { error in
            "\(error)".contains("flotilla.yaml") && "\(error)".contains("environment") && !"\(error)".contains("s3cret")
        }
    }

    @Test(arguments: [
        "::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "1::192.0.2.1", "1:2:3:4:5:6:1.2.3.4",
    ])
    func knowsIPv6(_ text: String) { #expect(IPAddressText.isVersion6(Array(text.utf8))) }

    @Test(
        arguments: [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1::2", "1:2:", "12345::", "g::",
            "::1.2.3", "1.2.3.4",
            ":1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
        ])
    func knowsWhatIsNotIPv6(_ text: String) { #expect(!IPAddressText.isVersion6(Array(text.utf8))) }
}

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
