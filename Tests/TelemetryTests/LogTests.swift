import Foundation
import Logging
import Model
import Testing

@testable import Telemetry

@Suite struct LogTests {
    private struct Failure: Error {}

    /// What reaches a pipe that stands for stderr.
    private func captured(
        environment: [String: String] = [:], isTerminal: Bool = false, _ body: (Terminal) throws -> Void
    ) throws -> String {
        let pipe = Pipe()
        let terminal = Terminal(
            descriptor: pipe.fileHandleForWriting.fileDescriptor, environment: environment, isTerminal: isTerminal,
            columns: 20)
        try body(terminal)
        try pipe.fileHandleForWriting.close()
        return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    private func logger(_ terminal: Terminal, _ format: Log.Format, level: Logger.Level = .info) -> Logger {
        Logger(label: "worker") { LineHandler(label: $0, level: level, format: format, terminal: terminal) }
    }

    @Test func aHumanLineHasTimeLevelMessageAndSortedMetadata() throws {
        let text = try captured { terminal in
            var logger = logger(terminal, .human)
            logger[metadataKey: Log.Key.worker] = "w1"
            logger.info("batch done", metadata: [Log.Key.batch: "b/0", "why": "a \"b\" = c", "n": "\(3)", "e": ""])
            logger.debug("not shown")
        }
        #expect(text.dropFirst(25) == "INFO     batch done batch=b/0 e=\"\" n=3 why=\"a \\\"b\\\" = c\" worker=w1\n")
        #expect(text.prefix(25).wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /#) != nil)
    }

    @Test func whatAProviderSaysCannotForgeALine() throws {
        let text = try captured { terminal in
            logger(terminal, .human).error(
                "answer 550 no\r\n2026-01-01 INFO fine \u{1b}[2J\u{9b}1m\u{2028}", metadata: ["k\ney": "v\u{7}"])
        }
        #expect(text.split(separator: "\n").count == 1)
        #expect(text.contains(#"no\r\n2026-01-01 INFO fine \u{1b}[2J\u{9b}1m\u{2028} k\ney="v\u0007""#))
    }

    @Test func aJSONLineIsOneObjectWithFlatMetadata() throws {
        let text = try captured { terminal in
            logger(terminal, .json).error(
                "lost\n\"it\"", error: Failure(),
                metadata: [
                    "count": .stringConvertible(7), "share": .stringConvertible(0.5), "ok": .stringConvertible(true),
                    "level": "mine", "at": ["x": "1", "y": ["z": "2"]], "list": ["a", .stringConvertible(2)],
                    "odd": "\u{0}\u{1b}é\u{7f}",
                ])
        }
        #expect(text.split(separator: "\n").count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["message"] as? String == "lost\n\"it\"")
        #expect(object["level"] as? String == "error")
        #expect(object["label"] as? String == "worker")
        #expect(object["metadata.level"] as? String == "mine")
        #expect(object["count"] as? Int == 7)
        #expect(object["share"] as? Double == 0.5)
        #expect(object["ok"] as? Bool == true)
        #expect(object["at.x"] as? String == "1")
        #expect(object["at.y.z"] as? String == "2")
        #expect((object["list"] as? [Any])?.count == 2)
        #expect(object["odd"] as? String == "\u{0}\u{1b}é\u{7f}")
        #expect(object["error"] as? String == "Failure()")
        #expect((object["ts"] as? String)?.hasSuffix("Z") == true)
    }

    @Test func logLinesStandAboveTheProgressLine() throws {
        let text = try captured(isTerminal: true) { terminal in
            terminal.progress(ProgressText(name: "n", figures: ["10 %"]))
            terminal.log("one")
            terminal.progress(ProgressText(name: "a name that is wider than the screen", figures: ["1 %"]))
            terminal.progress(nil)
            terminal.log("two")
        }
        let erase = "\r\u{1b}[K"
        #expect(text == "n: 10 %\(erase)one\nn: 10 %\(erase)a name that i…: 1 %\(erase)two\n")
    }

    @Test func withoutColourNoEscapeSequenceIsWritten() throws {
        let text = try captured(environment: ["NO_COLOR": "1"], isTerminal: true) { terminal in
            #expect(terminal.isInteractive)
            #expect(!terminal.hasColour)
            terminal.progress(ProgressText(name: "n", figures: ["10 %"]))
            terminal.log("one")
            terminal.progress(nil)
        }
        #expect(text == "n: 10 %\r       \rone\nn: 10 %\r       \r")
    }

    @Test func whereStderrIsNoTerminalNoProgressIsShown() throws {
        let text = try captured { terminal in
            #expect(!terminal.isInteractive)
            terminal.progress(ProgressText(name: "n", figures: ["10 %"]))
            terminal.log("one")
        }
        #expect(text == "one\n")
    }

    @Test func linesOfManyThreadsStayWhole() throws {
        // Below what a pipe holds, for nobody reads until all is written.
        let text = try captured { terminal in
            DispatchQueue.concurrentPerform(iterations: 8) { thread in
                for _ in 0..<20 { terminal.log(String(repeating: "\(thread)", count: 200)) }
            }
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == 160)
        #expect(lines.allSatisfy { $0.count == 200 && Set($0).count == 1 })
    }

    @Test func aLineThatNobodyTakesIsDroppedAndCounted() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        #expect(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        let terminal = Terminal(descriptor: descriptor, environment: [:], isTerminal: false)
        terminal.log(String(repeating: "x", count: 1 << 20))
        #expect(terminal.droppedLines == 1)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_767_225_599_999, "2025-12-31T23:59:59.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ])
    func timesAreWrittenAsRFC3339(milliseconds: Int64, text: String) {
        #expect(Timestamp.text(milliseconds) == text)
    }

    /// From 1622 on: before 1582 Foundation counts by the Julian calendar, which RFC 3339 does not know.
    @Test func timesAgreeWithFoundation() {
        var generator = SeededGenerator(seed: 7)
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for _ in 0..<500 {
            let seconds = Int64.random(in: -11_000_000_000...250_000_000_000, using: &generator)
            let date = Date(timeIntervalSince1970: Double(seconds))
            #expect(Timestamp.text(seconds * 1_000) == date.formatted(format))
        }
    }
}
