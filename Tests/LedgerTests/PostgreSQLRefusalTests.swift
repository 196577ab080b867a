import Foundation
import Logging
import Model
import TestServers
import Testing
import Text

@testable import Ledger

/// Servers, databases and users that a ledger cannot have: each error says what to do, and none tells a password.
@Suite(.timeLimit(.minutes(3))) struct PostgreSQLRefusalTests {
    private let quiet = Logger(label: "test")

    private func open(_ url: String, makes: Bool = true) throws(LedgerError) -> SQLLedger {
        try SQLLedger.open(PostgreSQLAddress(url: url), logger: quiet, sessions: 1, willMake: makes ? {} : nil)
    }

    private func refusal(_ url: String, makes: Bool = true) -> String {
        do throws(LedgerError) {
            _ = try open(url, makes: makes)
            return "opened"
        } catch {
            return "\(error)"
        }
    }

    @Test func wrongPasswordsUsersAndDatabasesAreNamed() async throws {
        let server = try await OwnPostgreSQL()
        try server.run("CREATE ROLE guest PASSWORD 'guessed'")
        for (url, words) in [
            (server.url(password: "guessed"), "pg_hba.conf"), (server.url(password: nil), "~/.pgpass"),
            (server.url(user: "nobody", password: "guessed"), "Check user and password"),
            (server.url(user: "guest", password: "guessed"), "not permitted to log in"),
            (server.url(database: "nowhere"), "CREATE DATABASE … OWNER \"flotilla\""),
        ] {
            let said = refusal(url)
            #expect(said.contains("refuses us: ") && said.contains(words), "\(said)")
            #expect(!said.contains("guessed") && !said.contains(OwnPostgreSQL.password), "\(said)")
        }
    }

    @Test func aMissingRightIsNamedWithTheWordsThatGrantIt() async throws {
        let server = try await OwnPostgreSQL()
        try server.run("CREATE ROLE app LOGIN PASSWORD 'word'")
        let app = server.url(user: "app", password: "word")
        let making = refusal(app)
        #expect(making.contains("GRANT USAGE, CREATE ON SCHEMA public TO \"app\"") && making.contains("flotilla ledger init"), "\(making)")
        let missing = refusal(app, makes: false)
        #expect(missing.contains("flotilla ledger init"), "\(missing)")

        #expect(try SQLLedger.make(PostgreSQLAddress(url: server.url())) == PostgreSQLSchema.migrations.count)
        let twice = #expect(throws: LedgerError.self) { try SQLLedger.make(PostgreSQLAddress(url: server.url())) }
        #expect(
            "\(String(describing: twice))".contains("there is a ledger in postgres://flotilla@127.0.0.1:\(server.port)/postgres already"))
        let reading = refusal(app, makes: false)
        #expect(reading.contains("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"app\""), "\(reading)")
        try server.run(
            """
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app
            """
        )
        let ledger = try open(app, makes: false)
        try await ledger.setLimit(.channel(.email), "5/s", now: 1)
        #expect(try await ledger.limits().count == 1)
        try server.run("REVOKE DELETE ON limit_override FROM app; REVOKE ALL ON mailing FROM app")
        let error = await #expect(throws: LedgerError.self) { try await ledger.work() }
        #expect("\(String(describing: error))".contains("GRANT SELECT"), "\(String(describing: error))")
    }

    /// A role that may only read, and one whose sessions begin so.
    @Test func aRoleThatOnlyReadsIsToldWhatItLacks() async throws {
        let server = try await OwnPostgreSQL()
        try server.run("CREATE SCHEMA \"Our ledger\"; ALTER ROLE flotilla SET search_path = 'Our ledger'")
        #expect(try SQLLedger.make(PostgreSQLAddress(url: server.url())) == PostgreSQLSchema.migrations.count)
        try server.run(
            """
            CREATE ROLE reader LOGIN PASSWORD 'word'; ALTER ROLE reader SET search_path = 'Our ledger';
            GRANT USAGE ON SCHEMA \"Our ledger\" TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA \"Our ledger\" TO reader
            """)
        let ledger = try open(server.url(user: "reader", password: "word"), makes: false)
        #expect(try await ledger.limits().isEmpty)
        let error = await #expect(throws: LedgerError.self) { try await ledger.setLimit(.channel(.email), "5/s", now: 1) }
        let said = String(describing: error)
        #expect(said.contains("ALL TABLES IN SCHEMA \"Our ledger\" TO \"reader\" (SELECT alone lets it look"), "\(said)")

        try server.run("ALTER ROLE flotilla SET default_transaction_read_only = on")
        let owner = try open(server.url(), makes: false)
        let refused = await #expect(throws: LedgerError.self) { try await owner.setLimit(.channel(.email), "5/s", now: 1) }
        let words = String(describing: refused)
        #expect(words.contains("ALTER ROLE \"flotilla\" SET default_transaction_read_only = off"), "\(words)")
    }

    @Test func whatIsTooOldOrHoldsNoUnicodeIsRefused() async throws {
        let old = try OldPostgreSQL()
        let said = refusal("postgres://ann@127.0.0.1:\(old.port)/ledger")
        #expect(said.contains("has version 12, and 15 or later is needed"), "\(said)")
        let server = try await OwnPostgreSQL()
        try server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        let latin = refusal(server.url(database: "latin"))
        #expect(latin.contains("encoding LATIN1, and UTF8 is needed"), "\(latin)")
    }

    @Test func aServerThatSaysNothingIsGivenUp() throws {
        let server = try SilentServer()
        let said = refusal("postgres://ann:s3cret@127.0.0.1:\(server.port)/ledger?connect_timeout=2")
        #expect(said.contains("cannot be reached") && !said.contains("s3cret"), "\(said)")
    }

    @Test func addressesAreShownWithoutSecretsAndFilesHaveSafeNames() throws {
        let address = try PostgreSQLAddress(Secret("postgres://ann:s3cret@db.example:6432/led%2Fger?sslmode=require&sslpassword=s3cret"))
        #expect(address.name == "postgres://ann@db.example:6432/led/ger")
        #expect(address.fileName.hasPrefix("db.example-6432-led_ger-") && !address.fileName.contains("s3cret"))
        let socket = try PostgreSQLAddress(Secret("postgresql:///ledger?host=/run/postgresql&user=ann"))
        #expect(socket.name == "postgres://ann@/ledger?host=/run/postgresql")
        let schema = try PostgreSQLAddress(Secret("postgresql:///ledger?host=/run/postgresql&options=-csearch_path%3Df"))
        #expect(socket.fileName != schema.fileName)
        #expect(
            PostgreSQLAddress.hasPassword(Secret("postgres://ann:x@db/l")) && !PostgreSQLAddress.hasPassword(Secret("postgres://ann@db/l")))
        let wrong = #expect(throws: LedgerError.self) { try PostgreSQLAddress(Secret("postgres://ann:s3cret%zz@db/l")) }
        #expect(!"\(String(describing: wrong))".contains("s3cret"))
    }

    @Test func aServerHasToProveWhoItIs() async throws {
        let folder = try TemporaryFolder()
        let (key, certificate) = (folder.path("key.pem"), folder.path("certificate.pem"))
        let openssl = try ServerProcess(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
            ], package: "openssl")
        #expect(openssl.wait() == 0)
        chmod(key, 0o644)
        let server = try await OwnPostgreSQL(
            access: ["hostssl all all 127.0.0.1/32 scram-sha-256"], certificate: (certificate: certificate, key: key))
        let verified = "sslmode=verify-full&sslrootcert=\(certificate)"
        let ledger = try open(server.url(host: "localhost", verified))
        #expect(try await ledger.identity().count == 16)
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        try await ledger.setLimit(.channel(.email), "5/s", now: 1)
        #expect(await signal.wait(atMost: .seconds(10)))
        subscription.cancel()
        let other = try folder.write(String(contentsOfFile: "/etc/ssl/certs/ca-certificates.crt", encoding: .utf8), to: "other.pem")
        for (url, words) in [
            (server.url(verified), "127.0.0.1"), (server.url(host: "localhost", "sslmode=verify-full&sslrootcert=\(other)"), "certificate"),
            (server.url(host: "localhost", "sslmode=verify-full&sslrootcert=/nowhere"), "certificate"),
            (server.url("sslmode=disable"), "pg_hba.conf"),
        ] {
            let said = refusal(url)
            #expect(said.contains(words) && !said.contains(OwnPostgreSQL.password) && !said.contains("cannot be reached"), "\(said)")
        }
    }
}
