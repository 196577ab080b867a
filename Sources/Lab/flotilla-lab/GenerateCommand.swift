import ArgumentParser
import CommandSupport
import Foundation
import Model
import Policy
import Synthetic
import Telemetry
import Text

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `flotilla-lab generate`: invented data to try things out with.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make invented data to try Flotilla out with.", subcommands: [Recipients.self])

    /// `flotilla-lab generate recipients N`.
    struct Recipients: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "recipients", abstract: "Write a file of invented recipients.",
            discussion: """
                The same seed gives the same file. Names come in a dozen scripts; addresses lie under reserved domains \
                (example.com, *.example, *.test) and telephone numbers in ranges kept for fiction, so that nothing reaches \
                anybody. A share of the rows is what a mailing must leave out: invalid, duplicate and missing addresses. What \
                was written of each kind is told on standard error.
                """)

        @Argument(help: "How many rows.") var count: Int
        @Option(help: "The number from which everything follows.") var seed: UInt64 = 1
        @Option(help: "The file to write; - for standard output.") var out = "-"
        @Flag(help: "Replace a file that this command did not make.") var force = false
        @Option(help: "Share of rows with an invalid address.") var invalid = 0.01
        @Option(help: "Share of rows with an address that an earlier row had.") var duplicates = 0.01
        @Option(help: "Share of rows without an address.") var missing = 0.005
        @Option(help: "What the addresses are for: email or sms.") var channel: Channel = .email
        @Option(
            help: ArgumentHelp(
                "A share of the rows that gets a domain, such as gmail.example=40%; may be repeated. The other rows get the usual domains.",
                valueName: "NAME=SHARE"))
        var domain: [String] = []
        @Option(help: "csv or ndjson.") var format: RecipientSource.Format = .csv

        func validate() throws {
            guard count >= 1 else { throw ValidationError("The number of rows must be at least 1.") }
            guard [invalid, duplicates, missing].allSatisfy({ 0...1 ~= $0 }), invalid + duplicates + missing <= 1 else {
                throw ValidationError(
                    "--invalid, --duplicates and --missing are shares from 0 to 1, together at most 1.")
            }
            guard channel == .email || channel == .sms else { throw ValidationError("--channel is email or sms.") }
            guard domain.isEmpty || channel == .email else { throw ValidationError("--domain is of e-mail addresses.") }
            _ = try shares()
        }

        private func shares() throws -> [SyntheticDomainShare] {
            do {
                let shares = try domain.map { text in
                    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    guard parts.count == 2 else {
                        throw ValidationError("--domain \(text): it is a domain and its share, such as gmail.example=40%.")
                    }
                    return try SyntheticDomainShare(String(parts[0]), String(parts[1]))
                }
                try SyntheticDomainShare.check(shares)
                return shares
            } catch let error as SyntheticDomainShareError {
                throw ValidationError("--domain: \(error).")
            }
        }

        func run() throws {
            if out != "-" { try OutputFile.check(out, option: "--out", example: "recipients.\(format.rawValue)") }
            var rows = SyntheticRecipients(
                .init(
                    count: count, seed: seed, channel: channel, format: format,
                    excluded: .init(invalid: invalid, duplicates: duplicates, missing: missing), domains: try shares()))
            guard out == "-" || force || rows.mayReplace(out) else {
                throw OutputFile.Unusable(
                    "--out \(out): a file of that name is there, and was not made by this command; --force replaces it")
            }
            let file = try GeneratedFile(out)
            var buffer: [UInt8] = []
            buffer.reserveCapacity(1 << 20 + 1 << 12)
            rows.appendHeader(to: &buffer)
            while rows.appendRow(to: &buffer) {
                guard buffer.count >= 1 << 20 else { continue }
                try file.write(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
            try file.write(buffer)
            try file.finish()
            let counts = rows.counts
            let summary =
                "\(counts.all) rows: \(counts.valid) valid, \(counts.invalid) invalid, "
                + "\(counts.duplicates) duplicate, \(counts.missing) without an address"
            StandardError.write(summary)
        }
    }
}

extension Channel: ExpressibleByArgument {}
extension RecipientSource.Format: ExpressibleByArgument {}

extension SyntheticRecipients {
    /// A file of that name is none, is empty, or begins with the columns that these rows have.
    fileprivate func mayReplace(_ path: String) -> Bool {
        guard let found = FileStatus(path: path), found.kind == .regular, found.size > 0 else { return true }
        guard let file = FileHandle(forReadingAtPath: path), let head = try? file.read(upToCount: 4096) else { return false }
        return hasColumns(of: [UInt8](head))
    }
}

/// A file that is written from start to end.
private struct GeneratedFile {
    private let descriptor: Int32
    private let name: String

    private init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// Makes a file, or takes the place of an old one; `-` is standard output.
    init(_ path: String) throws {
        let descriptor = path == "-" ? 1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw WriteError(name: path) }
        self.init(descriptor: descriptor, name: path == "-" ? "standard output" : path)
    }

    func write(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                #if canImport(Glibc)
                    return Glibc.write(descriptor, base + offset, bytes.count - offset)
                #else
                    return Darwin.write(descriptor, base + offset, bytes.count - offset)
                #endif
            }
            if count >= 0 {
                offset += count
            } else if errno != EINTR {
                throw WriteError(name: name)
            }
        }
    }

    func finish() throws {
        guard descriptor > 2, close(descriptor) != 0 else { return }
        throw WriteError(name: name)
    }
}

private struct WriteError: Error, CustomStringConvertible {
    let description: String

    /// - Parameter name: of the file at which the last call of the system failed.
    init(name: String) { description = "\(name) cannot be written: \(String(cString: strerror(errno)))." }
}
