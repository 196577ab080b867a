import Testing
import Text

@Suite struct ParsedURLTests {
    @Test func readsTheParts() throws {
        let url = try ParsedURL("HTTPS://us%40er:p%3Aw%C3%A9@[2001:DB8::1]:8443/a/b?c=d@e")
        #expect(url.scheme == "https" && url.host == "2001:db8::1" && url.port == 8_443 && url.path == "/a/b?c=d@e")
        #expect(url.username == "us@er" && url.password?.exposed == "p:wé")
        #expect(url.authority(defaultPort: 443) == "[2001:db8::1]:8443")
        #expect(try ParsedURL("https://h?x").path == "?x")
        #expect(try ParsedURL("unix:///run/r.sock") == ParsedURL("UNIX:///run/r.sock"))
    }

    /// RFC 3986 section 6.2.2, and what the resolver and the C library take for the same host.
    @Test(arguments: [
        ("smtp://Relay.Example.com", "smtp://relay.example.com"), ("SMTP://h", "smtp://h"), ("smtp://h.example.", "smtp://h.example"),
        ("smtp://h%2eexample", "smtp://h.example"), ("smtp://%48", "smtp://h"), ("smtp://a%40b@h", "smtp://a%40b@H"),
        ("smtp://[0:0:0:0:0:0:0:1]:025", "smtp://[::1]:25"), ("smtp://[FE80::1%25eth0]", "smtp://[fe80::1%eth0]"),
        ("smtp://127.0.0.1.", "smtp://127.0.0.1"),
    ])
    func spellingsOfOnePlaceAreEqual(_ one: String, _ other: String) throws {
        #expect(try ParsedURL(one) == ParsedURL(other))
    }

    @Test(arguments: [
        ("", "is no URL"), ("host", "is no URL"), ("smtp:host", "is no URL"), ("u:pw@h://x", "is no URL"), ("://h", "is no URL"),
        ("smtp://a b", "white space"), ("smtp://a\nb", "white space"), ("smtp://a\u{0}", "control character"),
        ("smtp://a\u{a0}b", "white space"), ("smtp://a:0", "1 to 65535"), ("smtp://a:65536", "1 to 65535"), ("smtp://a:x", "1 to 65535"),
        ("smtp://a:", "1 to 65535"), ("smtp://a:+1", "1 to 65535"), ("smtp://u%zz@a", "hexadecimal"), ("smtp://u%f@a", "hexadecimal"),
        ("smtp://u%ff@a", "hexadecimal"), ("smtp://u%0a@a", "control"), ("smtp://u:%00@a", "control"), ("smtp://@a", "empty user"),
        ("smtp://:@a", "empty user"), ("smtp://[::1", "no ']'"), ("smtp://[::1]x", "behind the IPv6"), ("smtp://[host]", "no IPv6"),
        ("smtp://[::1%]", "interface"), ("smtp://[]", "no IPv6"), ("smtp://1:2:3", "more than one ':'"), ("smtp://:25", "no host"),
        ("smtp://a..b", "empty"), ("smtp://.", "no host"), ("smtp://a%2fb", "'/'"), ("smtp://a%zz", "hexadecimal"), ("smtp://ä", "xn--"),
        ("smtp://%C3%A4", "xn--"), ("smtp://127.1", "four numbers"), ("smtp://0x7f.1", "four numbers"),
        ("smtp://2130706433", "four numbers"),
        ("smtp://relay.0x1f", "four numbers"), ("smtp://256.0.0.1", "four numbers"), ("http://h/#f", "fragment"),
    ])
    func refusesSayingWhy(_ text: String, _ part: String) {
        #expect { try ParsedURL(text) } throws: { error in
            #expect("\(error)".contains(part), "\(error)")
            return true
        }
    }

    /// What a password may have that it should not have.
    @Test(arguments: ["pa$$", "p/a", "p?a", "p#a", "p:a", "p@a", "[pa", "p%a", "p a", "pä", "1/2", "p/a:b@c", ""])
    func noErrorShowsAPassword(_ word: String) {
        let secret = "zq" + word + "zq"
        for url in [
            "smtp://user:\(secret)@h:0", "smtp://:\(secret)@[::1", "user:\(secret)@h", "user:\(secret)://h", "redis://u:\(secret)@a b",
        ] {
            do {
                _ = try ParsedURL(url)
                Issue.record("\(url) was read")
            } catch {
                #expect(!"\(error)".contains("zq") && !"\(error)".contains(word.isEmpty ? "zq" : word), "\(error)")
            }
            if url.contains("://u") { #expect(!ParsedURL.withoutSecrets(url).contains("zq")) }
        }
    }

    @Test func noTextTraps() {
        var generator = SystemRandomNumberGenerator()
        let pieces = ["smtp", "://", "@", ":", "[", "]", "%", "25", "::1", ".", "a", "é", "/", "?", "#", "0", " ", "\u{0}"]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<10, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            guard let url = try? ParsedURL(text) else { continue }
            // What was read is read the same from its own parts.
            let again = "\(url.scheme)://\(URLHost.bracketed(url.host))\(url.port.map { ":\($0)" } ?? "")\(url.path)"
            let second = try? ParsedURL(again)
            #expect(second?.host == url.host && second?.port == url.port && second?.path == url.path, "\(text) \(again)")
        }
    }
}

@Suite struct RedisURLTests {
    @Test(arguments: [
        ("redis://h", RedisURL.Endpoint.tcp(host: "h", port: 6_379, tls: false), 0),
        ("REDIS://H.Example.:6379", .tcp(host: "h.example", port: 6_379, tls: false), 0),
        ("redis://h:1/", .tcp(host: "h", port: 1, tls: false), 0), ("redis://h/12", .tcp(host: "h", port: 6_379, tls: false), 12),
        ("rediss://[::1]:2", .tcp(host: "::1", port: 2, tls: true), 0), ("unix:///run/r.sock", .unix("/run/r.sock"), 0),
        ("unix:///run/my%20r.sock", .unix("/run/my r.sock"), 0),
    ])
    func readsTheEndpoint(text: String, endpoint: RedisURL.Endpoint, database: Int) throws {
        let url = try RedisURL(text)
        #expect(url.endpoint == endpoint && url.database == database && url.username == nil && url.password == nil)
    }

    @Test func decodesUserAndPassword() throws {
        let url = try RedisURL("rediss://us%40er:p%40ss%2Fw%3Ard@h/3")
        #expect(url.username == "us@er" && url.password?.exposed == "p@ss/w:rd" && url.database == 3)
        #expect(try RedisURL("redis://:p%40@h").password?.exposed == "p@")
        #expect(try RedisURL("redis://:p%40@h").username == nil)
    }

    @Test(arguments: [
        "redis://", "redis://h/one", "redis://h/-1", "redis://h/1/2", "redis://h?db=1", "unix://", "unix:///", "unix://h/p",
        "unix://relative",
        "valkey://h", "h:6379", "redis://x:0", "redis://h/99999999999999999999",
    ])
    func otherTextIsNoRedisURL(text: String) {
        #expect(throws: URLSyntaxError.self) { try RedisURL(text) }
    }
}
