import Foundation
import Model
import Testing

@testable import Settings

@Suite struct SettingsTextTests {
    @Test(arguments: [
        ("250ms", 250), ("5s", 5_000), ("10m", 600_000), ("24h", 86_400_000), ("7d", 604_800_000), ("0s", 0),
    ])
    func durationsAreRead(text: String, milliseconds: Int) {
        let duration = Duration(settingText: text)
        #expect(duration == .milliseconds(milliseconds))
        #expect(duration?.inSeconds == Double(milliseconds) / 1_000)
        #expect(duration?.settingText == (text == "24h" ? "1d" : text))
    }

    @Test(arguments: ["", "5", "s", "-5s", "1.5s", "5 s", "5S", "5sec", "٥s", "9223372036854775807d", "5s "])
    func otherTextIsNoDuration(text: String) {
        #expect(Duration(settingText: text) == nil)
    }

    @Test func urlsAreCutIntoTheirParts() throws {
        let parts = try #require(URLParts("HTTPS://us%40er:p%3Aw%C3%A9@[2001:db8::1]:8443/a/b?c=d@e"))
        #expect(parts.scheme == "https")
        #expect(parts.username == "us@er")
        #expect(parts.password == "p:wé")
        #expect(parts.host == "2001:db8::1")
        #expect(parts.port == 8_443)
        #expect(parts.path == "/a/b?c=d@e")
    }

    @Test(arguments: [
        "", "host", "smtp:host", "smtp://a b", "smtp://a:0", "smtp://a:65536", "smtp://a:x", "smtp://a:",
        "smtp://u%zz@a",
        "smtp://u%f@a", "smtp://u%ff@a", "smtp://[::1", "smtp://[::1]x", "smtp://[host]", "smtp://a\nb",
        "smtp://a\u{0}",
        "smtp://ä",
    ])
    func otherTextIsNoURL(text: String) {
        #expect(URLParts(text) == nil)
    }

    @Test(arguments: [
        ("redis://h", RedisURL.Endpoint.tcp(host: "h", port: 6_379, tls: false)),
        ("redis://h:1/", .tcp(host: "h", port: 1, tls: false)),
        ("rediss://[::1]:2", .tcp(host: "::1", port: 2, tls: true)), ("unix:///run/r.sock", .unix("/run/r.sock")),
    ])
    func redisURLsAreRead(text: String, endpoint: RedisURL.Endpoint) {
        #expect(RedisURL(text)?.endpoint == endpoint)
    }

    @Test(arguments: ["redis://", "redis://h/1", "unix://", "unix:///", "unix://h/p", "valkey://h", "h:6379"])
    func otherTextIsNoRedisURL(text: String) {
        #expect(RedisURL(text) == nil)
    }

    @Test(arguments: [
        ("smtp://h", "smtp://h:25", "/"), ("smtps://h/", "smtps://h:465", "/"), ("http://h?x", "http://h:80", "/?x"),
        ("https://[::1]:1/p", "https://[::1]:1", "/p"),
    ])
    func providersAreMadeOfURLs(url: String, name: String, path: String) {
        let provider = Provider(url: url)
        #expect(provider?.name == name)
        #expect(provider?.path == path)
    }

    @Test(arguments: ["smtp://h/p", "smtp://", "ftp://h", "http://h/#f", "h:25"])
    func otherTextIsNoProvider(text: String) {
        #expect(Provider(url: text) == nil)
    }

    @Test func aMachineWithoutADomainIsLocalhost() {
        #expect(HostName.choose(from: "mail.example.com") == "mail.example.com")
        #expect(HostName.choose(from: "mail.example.com.") == "mail.example.com")
        for name in ["", "mail", "mail..com", "my_host.com", "-a.com", "a\n.com"] {
            #expect(HostName.choose(from: name) == "localhost.localdomain")
        }
        #expect(HostName.isValid("[192.0.2.1]"))
        #expect(HostName.isValid("[IPv6:2001:db8::1]"))
        #expect(!HostName.isValid("[]"))
    }

    @Test func theNearestNameIsFoundUnlessItIsFar() {
        let names = ["url", "username", "password", "prefix", "timeout"]
        #expect(NearestName.of("pasword", among: names) == "password")
        #expect(NearestName.of("tiemout", among: names) == "timeout")
        #expect(NearestName.of("uri", among: names) == "url")
        #expect(NearestName.of("colour", among: names) == nil)
        #expect(NearestName.distance(Array("ca".utf8), Array("abc".utf8)) == 3)
        #expect(NearestName.distance([], Array("abc".utf8)) == 3)
    }

    @Test func environmentNamesAreThoseOfSwiftConfiguration() {
        #expect(EnvironmentName.part("connect_timeout") == "CONNECT_TIMEOUT")
        #expect(EnvironmentName.part("X-Api-Key") == "X_API_KEY")
        #expect(EnvironmentName.part("xApiKey") == "X_API_KEY")
        #expect(EnvironmentName.part("my-relay.2") == "MY_RELAY_2")
    }
}
