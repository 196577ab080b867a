import Foundation
import Model
import Testing
import Text

@testable import Settings

@Suite struct SettingsTextTests {
    @Test(arguments: [
        ("250ms", 250), ("5s", 5_000), ("10m", 600_000), ("24h", 86_400_000), ("7d", 604_800_000), ("0s", 0),
    ])
    func durationsAreRead(text: String, milliseconds: Int) {
        let duration = Duration(settingText: text)
        #expect(duration == .milliseconds(milliseconds))
        #expect(duration?.seconds == Double(milliseconds) / 1_000)
        #expect(duration?.settingText == (text == "24h" ? "1d" : text))
    }

    @Test(arguments: ["", "5", "s", "-5s", "1.5s", "5 s", "5S", "5sec", "٥s", "9223372036854775807d", "5s "])
    func otherTextIsNoDuration(text: String) {
        #expect(Duration(settingText: text) == nil)
    }

    @Test(arguments: ["redis://h/1", "redis://h/x", "redis://", "valkey://h", "redis://u%zz@h"])
    func otherTextIsNoRedisURL(text: String) {
        #expect(SettingsTable.redisURL.parse([text]) == nil)
    }

    @Test(arguments: ["smtp://h/p", "smtp://", "ftp://h", "http://h/#f", "h:25", "smtp://127.1"])
    func otherTextIsNoProvider(text: String) {
        #expect(SettingsTable.providerURL.parse([text]) == nil)
    }

    @Test func aMachineWithoutADomainIsLocalhost() {
        #expect(HostName.choose(from: "mail.example.com") == "mail.example.com")
        #expect(HostName.choose(from: "mail.example.com.") == "mail.example.com")
        for name in ["", "mail", "mail..com", "my_host.com", "-a.com", "a\n.com"] {
            #expect(HostName.choose(from: name) == "localhost.localdomain")
        }
        #expect(DomainName.isValidOrLiteral("[192.0.2.1]"))
        #expect(DomainName.isValidOrLiteral("[IPv6:2001:db8::1]"))
        #expect(!DomainName.isValidOrLiteral("[]"))
    }

    @Test func environmentNamesAreThoseOfSwiftConfiguration() {
        #expect(EnvironmentName.part("connect_timeout") == "CONNECT_TIMEOUT")
        #expect(EnvironmentName.part("X-Api-Key") == "X_API_KEY")
        #expect(EnvironmentName.part("xApiKey") == "X_API_KEY")
        #expect(EnvironmentName.part("my-relay.2") == "MY_RELAY_2")
    }
}
