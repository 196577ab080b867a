import ArgumentParser
import CommandSupport
import Foundation
import Settings
import Signing
import Text

/// `flotilla-lab tracking links`: real links of made-up recipients, for a load generator.
struct TrackingLinksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "links", abstract: "Write paths of signed links, one a line, by the keys of a tracker.",
        discussion: """
            Each line is a path below the tracker's address. With several kinds, they take turns.

              flotilla-lab tracking links --keys tracker.keys --count 200000 --kind open --kind click --out links.txt
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case open, click, unsubscribe, preferences, view
    }

    @Option(help: ArgumentHelp("The keys of the tracker: lines of NUMBER: SECRET.", valueName: "file")) var keys: String
    @Option(help: "How many paths.") var count = 100_000
    @Option(help: "The kinds of links: open, click, unsubscribe, preferences, view; may be repeated.") var kind: [Kind] = [.open, .click]
    @Option(help: "The number of the mailing whose links they are.") var mailing: UInt32 = 1
    @Option(help: "The number of the first recipient.") var first = 0
    @Option(help: "Recipients of a batch.") var batch = Int(TokenSubject.indexes)
    @Option(help: "The target of clicks.") var target = "https://www.example.com/offers/autumn?product=kite&colour=blue"
    @Option(help: "The file to write.") var out: String

    func validate() throws {
        guard 1...Int(TokenSubject.indexes) ~= batch else { throw ValidationError("--batch is a number from 1 to 16384") }
        let most = Int(TokenSubject.batches) * batch
        guard count >= 1, first >= 0, first <= most - count else {
            throw ValidationError("--first and --count are numbers from 0 and from 1, together at most \(most)")
        }
        try OutputFile.check(out, option: "--out", example: "links.txt")
    }

    func run() throws {
        let keys = try TrackerKeyFile(reading: keys).keys()
        var text: [UInt8] = []
        guard FileManager.default.createFile(atPath: out, contents: nil), let file = FileHandle(forWritingAtPath: out) else {
            throw OutputFile.Unusable("--out \(out) cannot be written")
        }
        for number in first..<(first + count) {
            let (batch, index) = number.quotientAndRemainder(dividingBy: batch)
            guard let subject = TokenSubject(mailing: mailing, batch: batch, index: index) else { continue }
            append(kind[number % kind.count], subject, keys, to: &text)
            guard text.count >= 1 << 20 else { continue }
            try file.write(contentsOf: text)
            text.removeAll(keepingCapacity: true)
        }
        try file.write(contentsOf: text)
        try file.close()
    }

    private func append(_ kind: Kind, _ subject: TokenSubject, _ keys: SigningKeys, to text: inout [UInt8]) {
        switch kind {
        case .open:
            text += "/o/".utf8
            keys.appendToken(.open, subject, to: &text)
        case .click:
            text += "/c/".utf8
            TrackedLink(number: UInt16(subject.index % 4), target: Array(target.utf8)).append(subject, keys: keys, to: &text)
        case .unsubscribe:
            text += "/u/".utf8
            keys.appendToken(.unsubscribe, subject, to: &text)
        case .preferences:
            text += "/p/".utf8
            keys.appendToken(.preferences, subject, to: &text)
        case .view:
            text += "/v/".utf8
            keys.appendToken(.view, subject, to: &text)
        }
        text.append(UInt8(ascii: "\n"))
    }
}
