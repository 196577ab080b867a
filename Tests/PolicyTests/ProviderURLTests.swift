import Model
import Policy
import Testing
import Text

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
            ("http://1:2:3", "more than one ':'"), ("smtp://@x", "empty user"), ("smtp://%zz@x", "hexadecimal"),
            ("smtp://%0a@x", "control character"), ("http://a$b", "'$'"),
        ])
    func refusesSayingWhy(_ text: String, _ part: String) {
        #expect { try ProviderURL.parse(text) } throws: { "\($0)".contains(part) }
    }

    /// One provider, one limit, one lane, however its URL is written.
    @Test(arguments: [
        ("smtp://Relay.Example.com", "smtp://relay.example.com:25"), ("SMTP://relay.example.com:25", "smtp://relay.example.com:25"),
        ("smtp://relay.example.com.", "smtp://relay.example.com:25"),
        ("smtp://u%40x@relay.example.com:025/", "smtp://relay.example.com:25"),
        ("smtp://relay%2eexample.com", "smtp://relay.example.com:25"), ("smtps://h", "smtps://h:465"), ("https://h/a?b", "https://h:443"),
        ("http://[0:0::1]/x", "http://[::1]:80"), ("main", "main"),
    ])
    func everySpellingHasOneNameAndOneScope(_ text: String, _ name: String) {
        #expect(ProviderURL.canonicalName(text) == name && ProviderURL.name(of: text) == name)
        #expect(LimitScope("provider:\(text)") == .provider(name) && LimitScope("provider:\(text)")?.description == "provider:\(name)")
        var limits = Limits()
        limits = limits.applying(["provider:\(text)": "5/s"]).limits
        #expect(limits.limit(.provider(name))?.description == "5/s")
    }

    @Test(arguments: [
        ("smtp://Relay.Example.com", "smtp://relay.example.com:25"), ("https://u%40x@H/a?b=%41", "https://u%40x@h:443/a?b=%41"),
        ("http://[0::1]?x", "http://[::1]:80/?x"), ("main", "main"), ("smtp://h:0", "smtp://h:0"),
    ])
    func theCanonicalURLKeepsUserAndPath(_ text: String, _ url: String) {
        #expect(ProviderURL.canonicalURL(text) == url && ProviderURL.canonicalURL(url) == url)
    }

    @Test func aPasswordIsTakenWhereItMayStand() throws {
        let provider = try ProviderURL.parse("smtp://us%40er:p%40ss@h", allowingPassword: true)
        #expect(provider.username == "us@er" && provider.password == Secret("p@ss") && provider.name == "smtp://h:25")
    }

    @Test func refusesAPasswordWithoutRepeatingIt() {
        #expect { try ProviderURL.parse("smtp://user:s3cret@mail.example") } throws: { error in
            "\(error)".contains("flotilla.yaml") && "\(error)".contains("environment") && !"\(error)".contains("s3cret")
        }
    }
}
