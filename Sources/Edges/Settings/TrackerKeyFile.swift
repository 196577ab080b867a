import Foundation
package import Signing
package import Text

/// The file of the keys that sign links to the tracker: `NUMBER: SECRET` in each line. The key with the highest number signs, and all
/// verify.
package struct TrackerKeyFile: Sendable {
    package let path: String
    /// The keys by their numbers, never empty.
    package let secrets: [Int: Secret]

    /// Bytes of a file at most: 32 keys are far fewer.
    private static let longest = 64 << 10

    /// Reads a file that only its owner may read.
    /// - Throws: `TrackerKeyError`, which repeats no secret.
    package init(reading path: String) throws(TrackerKeyError) {
        guard let status = FileStatus(path: path) else { throw TrackerKeyError(path, .missing) }
        guard status.kind == .regular, status.size <= Self.longest else { throw TrackerKeyError(path, .noKeyFile) }
        guard status.rights & 0o077 == 0 else { throw TrackerKeyError(path, .readable(PrivateFile.text(status.rights))) }
        guard let data = FileManager.default.contents(atPath: path) else { throw TrackerKeyError(path, .unreadable) }
        guard let text = String(validating: data, as: UTF8.self) else { throw TrackerKeyError(path, .noKeyFile) }
        self.path = path
        secrets = try Self.parse(text, path)
        _ = try keys()
    }

    /// Makes a file with one key, where there is none.
    /// - Returns: false where there is one.
    /// - Throws: `TrackerKeyError` where it cannot be made.
    @discardableResult
    package static func make(_ path: String) throws(TrackerKeyError) -> Bool {
        guard FileStatus(path: path) == nil else { return false }
        try write([1: newSecret()], to: path)
        return true
    }

    /// Adds a key, which signs from then on.
    /// - Returns: its number.
    /// - Throws: `TrackerKeyError`, also where all numbers are used.
    package func add() throws(TrackerKeyError) -> Int {
        let number = (secrets.keys.max() ?? 0) + 1
        guard SigningKeys.numbers ~= number else { throw TrackerKeyError(path, .full) }
        try Self.write(secrets.merging([number: Self.newSecret()]) { $1 }, to: path)
        return number
    }

    /// - Throws: `TrackerKeyError` for a number or a secret that none can be.
    package func keys() throws(TrackerKeyError) -> SigningKeys {
        do throws(SigningKeysError) { return try SigningKeys(secrets) } catch { throw TrackerKeyError(path, .bad(error)) }
    }

    private static func parse(_ text: String, _ path: String) throws(TrackerKeyError) -> [Int: Secret] {
        var secrets: [Int: Secret] = [:]
        for (place, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let colon = line.firstIndex(of: ":"), let number = Int(line[..<colon].trimmed) else {
                throw TrackerKeyError(path, .line(place + 1))
            }
            let secret = line[line.index(after: colon)...].trimmed
            guard secrets.updateValue(Secret(String(secret)), forKey: number) == nil else { throw TrackerKeyError(path, .twice(number)) }
        }
        return secrets
    }

    private static func newSecret() -> Secret {
        var generator = SystemRandomNumberGenerator()
        return Secret(Data((0..<SigningKey.fewestBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }).base64EncodedString())
    }

    private static func write(_ secrets: [Int: Secret], to path: String) throws(TrackerKeyError) {
        let head = """
            # Keys of the links in Flotilla's messages, NUMBER: SECRET. The highest number signs, all verify.
            # Links of a key that is taken out stop working. docs/tracking.md

            """
        let lines = secrets.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.exposed)\n" }
        guard let problem = PrivateFile.replace(Array((head + lines.joined()).utf8), at: path) else { return }
        throw TrackerKeyError(path, .unwritable(String(cString: strerror(problem))))
    }
}

/// Why a file of keys cannot be used.
package struct TrackerKeyError: Error, Equatable, CustomStringConvertible {
    package enum Fault: Sendable, Equatable {
        case missing, noKeyFile, unreadable, full
        /// Others may read it; with its rights.
        case readable(String)
        /// A line, from 1, that is no key.
        case line(Int)
        case twice(Int)
        case bad(SigningKeysError)
        /// With the system's words.
        case unwritable(String)
    }

    package let path: String
    package let fault: Fault

    init(_ path: String, _ fault: Fault) {
        self.path = path
        self.fault = fault
    }

    package var description: String { "the tracker's keys \(path) \(why)" }

    private var why: String {
        switch fault {
        case .missing: "are not there: `flotilla tracker key add` makes them, and tracker.keys names the file"
        case .noKeyFile: "are no text file of at most 64 KB with lines of NUMBER: SECRET"
        case .unreadable: "cannot be read: they belong to the user that the roles run as"
        case .full: "have the number \(SigningKeys.numbers.upperBound), the last one: take out old keys, and give the others numbers from 0"
        case .readable(let rights): "can be read by others (mode \(rights)), who could sign links with them: chmod 600 \(path)"
        case .line(let line): "have something in line \(line) that is no NUMBER: SECRET"
        case .twice(let number): "have two keys \(number): give one of them another number"
        case .bad(.empty): "have no key: `flotilla tracker key add` makes one"
        case .bad(let error): "cannot be used: \(error)"
        case .unwritable(let words): "cannot be written (\(words))"
        }
    }
}
