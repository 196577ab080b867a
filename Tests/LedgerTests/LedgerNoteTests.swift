import Foundation
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// The file beside a ledger by which an older copy of it is known.
struct LedgerNoteTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let folder: TemporaryFolder
    private let notes: LedgerNotes
    private let spring = MailingIdentity.key("spring")

    init() throws {
        folder = try TemporaryFolder()
        notes = LedgerNotes(ledger: folder.path("ledger.sqlite"))
    }

    private func new(_ number: Int, _ identity: MailingIdentity) -> NewMailing {
        var new = NewMailing(id: Example.id(number), mailing: Example.mailing(), source: nil)
        new.identity = identity
        return new
    }

    private func add(_ ledger: SQLiteLedger, _ number: Int, _ policy: RepeatPolicy, _ identity: MailingIdentity? = nil) async throws
        -> AddOutcome
    {
        try await ledger.add(new(number, identity ?? spring), repeating: policy, note: nil, now: Example.start)
    }

    /// As the release before wrote it.
    @Test func theOldFormIsRead() throws {
        try folder.write("a 7\n", to: "ledger.sqlite.commits")
        #expect(try notes.note(of: "a")?.commits == 7 && notes.note(of: "a")?.reached == nil && notes.note(of: "b") == nil)
        try folder.write("nonsense", to: "ledger.sqlite.commits")
        #expect(throws: LedgerNotes.Unreadable.self) { try notes.note(of: "a") }
    }

    @Test func itKeepsOneNoteOfEachLedger() throws {
        #expect(try notes.note(of: "a") == nil)
        #expect(notes.change("a") { $0.commits = 7 } == nil)
        #expect(notes.change("b") { $0.commits = 2 } == nil)
        #expect(notes.change("a") { $0.reached = [Example.id().description: 3] } == nil)
        #expect(try notes.note(of: "a")?.commits == 7 && notes.note(of: "a")?.reached?.count == 1)
        #expect(try notes.note(of: "b")?.commits == 2)
        let attributes = try FileManager.default.attributesOfItem(atPath: notes.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        for number in 0..<20 { #expect(notes.change("\(number)") { $0.commits = 1 } == nil) }
        #expect(try notes.note(of: "19") != nil && notes.note(of: "a") == nil)
    }

    @Test func itKeepsTheMailingsThatWereAddedLast() throws {
        var note = LedgerNote(ledger: "a")
        for number in 0..<1200 { note.add(.init(Example.id(number), number % 2 == 0 ? spring : .key("autumn"))) }
        #expect(note.mailings.count == LedgerNote.mostMailings && note.mailings.last?.id == Example.id(1199))
        #expect(note.mailings(of: spring).last == Example.id(1198))
        let written = note
        #expect(notes.change("a") { $0 = written } == nil)
        #expect(try notes.note(of: "a") == note)
    }

    /// What is written is read again, whatever the names and however many mailings are open.
    @Test func whatIsTooMuchIsLeftOut() throws {
        let name = String(repeating: "\u{1}", count: 60)
        func fill(_ note: inout LedgerNote) {
            note.commits = 7
            for number in 0..<1000 { note.add(.init(Example.id(number), number == 0 ? spring : .key("\(number)"), name: name)) }
        }
        for ledger in 0..<8 { #expect(notes.change("\(ledger)", fill) == nil) }
        for ledger in 0..<8 {
            let note = try #require(try notes.note(of: "\(ledger)"))
            #expect(note.commits == 7 && note.mailings(of: spring) == [Example.id(0)], "\(ledger)")
        }
        #expect(try FileManager.default.attributesOfItem(atPath: notes.path)[.size] as? Int ?? .max <= 1 << 20)
        let many = (0..<80_000).map { (Example.id($0).description, $0) }
        #expect(notes.change("7") { $0.reached = Dictionary(uniqueKeysWithValues: many) } == nil)
        let note = try #require(try notes.note(of: "7"))
        #expect(note.reached == nil && note.mailings(of: spring) == [Example.id(0)] && note.mailings.count == 1000)
        #expect(try notes.note(of: "6") == nil)
        // One that an earlier release wrote is read.
        var text = try String(contentsOfFile: notes.path, encoding: .utf8)
        text += String(repeating: " ", count: 2 << 20)
        try text.write(toFile: notes.path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: notes.path)
        #expect(try notes.note(of: "7") == note)
    }

    @Test(arguments: [
        "", "{", "[]", #"{"version":2,"ledgers":[]}"#, #"{"version":1,"ledgers":[{"ledger":"a","commits":-1,"mailings":[]}]}"#,
        #"{"version":1,"ledgers":[{"ledger":"a","commits":9223372036854775807,"mailings":[]}]}"#,
        #"{"version":1,"ledgers":[{"ledger":"a","commits":1e300,"mailings":[]}]}"#,
        #"{"version":1,"ledgers":[{"ledger":"a","commits":1,"mailings":[],"reached":{"x y":1}}]}"#,
        #"{"version":1,"ledgers":[{"ledger":"a","commits":1,"mailings":[{"id":"x","identity":"","name":""}]}]}"#,
        String(repeating: " ", count: 2 << 20),
    ])
    func whatCannotBeReadIsNotBelievedAndMadeAnew(text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: notes.path))
        #expect(throws: LedgerNotes.Unreadable.self) { try notes.note(of: "a") }
        #expect(notes.change("a") { $0.commits = 2 } == nil)
        #expect(try notes.note(of: "a")?.commits == 2)
    }

    @Test func noLinkIsFollowed() throws {
        let target = try folder.write("precious", to: "target")
        try FileManager.default.createSymbolicLink(atPath: notes.path, withDestinationPath: target)
        #expect(throws: LedgerNotes.Unreadable.self) { try notes.note(of: "a") }
        #expect(notes.change("a") { $0.commits = 2 } == nil)
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
    }

    /// The copy lacks two mailings; one is sent again by order of a person, who was not asked about the other.
    @Test func aMailingThatAnOlderCopyLacksIsAddedOnlyWhenToldTo() async throws {
        let path = folder.path("ledger.sqlite")
        var ledger = try SQLiteLedger.open(path, logger: logger)
        #expect(try await add(ledger, 0, .refuse, .key("first")) == .added)
        _ = try LedgerBackup.make(of: path, to: folder.path("copy.sqlite"))
        #expect(try await add(ledger, 1, .refuse) == .added)
        #expect(try await add(ledger, 2, .refuse, .key("autumn")) == .added)
        try ledger.close()
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        try FileManager.default.copyItem(atPath: folder.path("copy.sqlite"), toPath: path)
        ledger = try SQLiteLedger.open(path, logger: logger)
        for policy in [RepeatPolicy.refuse, .onlyNew] { #expect(try await add(ledger, 3, policy) == .lost(Example.id(1))) }
        #expect(try await add(ledger, 3, .again) == .added)
        #expect(try await ledger.earlier(spring).lost == nil)
        for policy in [RepeatPolicy.refuse, .onlyNew] {
            #expect(try await add(ledger, 4, policy, .key("autumn")) == .lost(Example.id(2)))
        }
        // What is a mailing of its own is sent as usual.
        #expect(try await add(ledger, 5, .refuse, .key("winter")) == .added)
        #expect(try await ledger.note()?.mailings.map(\.id) == [0, 1, 2, 3, 5].map { Example.id($0) })
    }

    @Test func aMailingThatCouldNotBeAddedIsNotNoted() async throws {
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: logger)
        _ = try await add(ledger, 0, .refuse)
        // The id is there already.
        await #expect(throws: LedgerError.self) { try await add(ledger, 0, .again) }
        #expect(try await ledger.note()?.mailings.isEmpty == false)
        #expect(try await ledger.earlier(spring).lost == nil)
    }

    /// Nobody may believe a note that is not true any more, and whoever waits for that says why.
    @Test func aNoteThatCannotBeWrittenIsRemovedOrNamed() async throws {
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: logger)
        try await ledger.note(reached: [Example.id(): 0])
        // What a note is written to before it is moved.
        try FileManager.default.createDirectory(atPath: "\(notes.path).partial-\(getpid())", withIntermediateDirectories: false)
        let error = await #expect(throws: LedgerError.self) { try await ledger.note(reached: [Example.id(): 1]) }
        let text = "\(try #require(error))"
        #expect(text.contains(notes.path) && text.contains("writable") && text.contains("File exists"))
        #expect(try await ledger.note()?.reached == [Example.id().description: 0])
        try await ledger.note(reached: nil)
        #expect(try await ledger.note() == nil)
    }

    @Test func whatWasReachedIsForgottenWhenMoreMayBeDispatched() async throws {
        let ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: logger)
        try await Example.plan(ledger, batches: [1])
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        try await ledger.note(reached: [Example.id(): 0])
        let note = try await ledger.note()
        #expect(note?.commits == 1 && note?.reached == [Example.id().description: 0])
        try await ledger.note(reached: nil)
        #expect(try await ledger.note()?.reached == nil)
    }
}
