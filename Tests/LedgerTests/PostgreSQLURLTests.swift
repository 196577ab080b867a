import Testing
import Text

@testable import Ledger

/// What libpq makes of a URL with a password that is not escaped, and of one that is mistyped: no word of it is shown.
@Suite struct PostgreSQLURLTests {
    private func refusal(_ url: String) -> String? {
        do throws(LedgerError) {
            _ = try PostgreSQLAddress(url: url)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        "a/sekret@127.0.0.1:1/l", "a@sekret@127.0.0.1:1/l", "a/b@sekret/c@h/l", "sekret/l", "1/sekret@h", "a@h?sekret/x@h/l",
        "a%zzsekret@h/l",
        "a@h/l?sslmode=require&password=a&sekret=b", "a@h/l?sekret", "a@h/l&password=sekret", "a@h/l;sekret", "a@h:sekret/l",
    ])
    func aPasswordThatIsNotEscapedIsNotShown(rest: String) throws {
        for url in ["postgres://flo:\(rest)", "postgresql://flo:\(rest)"] {
            let said = try #require(refusal(url), "\(url)")
            #expect(!said.contains("sekret") && said.hasPrefix("the ledger's URL "), "\(url): \(said)")
        }
    }

    @Test func aUserThatHidesAPasswordIsRefused() throws {
        #expect(try #require(refusal("postgres://flo%3Asekret@h/l")).contains("has a ':' in its user"))
    }

    @Test(arguments: [
        "postgres://h/l", "postgres:///l?host=/run/postgresql&user=ann", "postgres://ann%40corp:a%2Fb%40c@[::1]:5432/l%20x",
        "postgres://ann:a?b#c:d@h1:1,h2:2/l?target_session_attrs=read-write", "postgres://%2Frun%2Fpostgresql/l?ssl=true",
        "postgres://h/l?options=-csearch_path%3Dflotilla",
    ])
    func whatIsEscapedIsTaken(url: String) { #expect(refusal(url) == nil) }

    @Test func aParameterThatLibpqDoesNotKnowIsNamed() throws {
        let said = try #require(refusal("postgres://h/l?sslmode=require&sslmod=verify-full"))
        #expect(said.contains("the parameter 'sslmod', which libpq does not know"), "\(said)")
        // What stands behind a password may be a part of it.
        let behind = try #require(refusal("postgres://h/l?password=a&b=c"))
        #expect(!behind.contains("'b'"), "\(behind)")
    }

    @Test func aURLThatShowsAPasswordIsKnownEvenWhereItCannotBeRead() {
        for url in ["postgres://ann:x@y@db/l", "postgres://ann:x/y@db/l", "postgres://db/l?PASSWORD=x&bogus=1"] {
            #expect(PostgreSQLAddress.hasPassword(Secret(url)), "\(url)")
        }
        #expect(!PostgreSQLAddress.hasPassword(Secret("postgres://ann@db/l?bogus=1")))
    }

    /// Short passwords and ordinary words stand in the server's words too.
    @Test func anErrorWithoutThePasswordCanBeRead() {
        let words = "connection to server at \"db\" failed: FATAL: password authentication failed for user \"ann\""
        for password in ["a", "s", " ", "at", "password", "server", "failed"] {
            #expect(PasswordRedaction([password]).redact(words) == words, "\(password)")
        }
        #expect(PasswordRedaction(["l"]).redact("database \"l\" does not exist") == "database \"…\" does not exist")
        #expect(PasswordRedaction(["sekret"]).redact("host name \"sekret@db\" to address") == "host name \"…@db\" to address")
        #expect(PasswordRedaction([nil, "s3cret", "tiger7"]).redact("s3cret \"x\" tiger7 is") == "… \"x\" … is")
    }

    @Test func noSecretIsLeftInWhatIsQuoted() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let password = String(
                (0..<Int.random(in: 1...9, using: &generator)).map { _ in "abe1/@ ".randomElement(using: &generator) ?? "x" })
            let said = PasswordRedaction([password]).redact("could not translate \"\(password)\" to a \"\(password)\"")
            #expect(!said.contains("\"\(password)\""), "\(password): \(said)")
        }
    }

    @Test func anErrorIsOneLineWithoutTabs() {
        #expect(
            PostgreSQLConnection.line("connection refused\n\tIs the server\trunning?\n\n") == "connection refused; Is the server running?")
    }
}
