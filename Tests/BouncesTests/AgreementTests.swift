import Bounces
import Foundation
import Model
import TestServers
import Testing

/// The corpus as its labels say. Where it is not there, the
/// small mails of `ReturnedMailTests` have to do.
@Suite(.enabled(if: BounceCorpus.isThere, "there is no ../shared/data/bounces beside the checkout"))
struct AgreementTests {
    private struct Label: Decodable {
        struct Bounce: Decodable {
            let reason: String
            let hard: Int
        }

        let file: String
        let bounces: [Bounce]
    }

    /// Our reason for each of the labels.
    private func reasons(_ folder: String) throws -> [String: String] {
        let rows = try String(contentsOfFile: folder + "/reasons.csv", encoding: .utf8).split(separator: "\n").dropFirst()
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let parts = row.split(separator: ",")
                return (String(parts[0]), String(parts[1]))
            })
    }

    private func read(_ path: String) throws -> ReturnedMail {
        let parts = MailParts(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
        return ReturnedMail(parts, isNull: parts.header["return-path"].filter { $0 != " " } == "<>")
    }

    @Test func mostAreReadAsTheirLabelsSay() throws {
        let folder = try #require(BounceCorpus.folder)
        let reasons = try reasons(folder)
        let faultsOfOurs: Set<String> = ["reputation", "authentication", "set_up", "rate", "spam", "content", "network", "system"]
        var (total, hard, reason) = (0, 0, 0)
        for line in try String(contentsOfFile: folder + "/expected.ndjson", encoding: .utf8).split(separator: "\n") {
            let label = try JSONDecoder().decode(Label.self, from: Data(line.utf8))
            let mail = try read(folder + "/" + label.file)
            for (place, bounce) in label.bounces.enumerated() {
                total += 1
                let wanted = try #require(reasons[bounce.reason])
                let found = place < mail.recipients.count ? mail.recipients[place] : nil
                let isDelivered = mail.kind == .delivered
                if (found?.isHard == true && !isDelivered) == (bounce.hard == 1) { hard += 1 }
                if (isDelivered ? "none" : found?.reason.rawValue) == wanted { reason += 1 }
                #expect(found?.suppresses != true || !faultsOfOurs.contains(wanted), "\(label.file): \(String(describing: found))")
            }
        }
        #expect(total == 314)
        #expect(Double(hard) / Double(total) >= 0.96, "\(hard) of \(total)")
        #expect(Double(reason) / Double(total) >= 0.91, "\(reason) of \(total)")
    }

    /// Bytes changed, cut, doubled and put together anew: nothing traps, and nothing takes long.
    @Test func damagedMailsAreReadToo() throws {
        let folder = try #require(BounceCorpus.folder)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".eml") }.sorted()
        var generator = SeededGenerator(seed: 13)
        for file in files {
            var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/" + file)))
            for _ in 0..<20 {
                guard !bytes.isEmpty else { break }
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + 40))
                case 2: bytes.insert(contentsOf: bytes[max(0, at - 60)..<at], at: at)
                default: bytes.insert(contentsOf: [0, 13, 10, 0xff], at: at)
                }
            }
            let mail = ReturnedMail(MailParts(bytes), isNull: true)
            #expect(mail.recipients.count <= 100)
        }
    }
}
