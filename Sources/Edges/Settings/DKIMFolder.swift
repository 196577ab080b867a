import Foundation
package import Signing
import Text

/// The folder of the keys that sign e-mail: `DOMAIN/SELECTOR.pem` for each.
package struct DKIMFolder: Sendable {
    package let keys: [DKIMKey]
    /// What should be changed, a sentence each.
    package let warnings: [String]

    private static let suffix = ".pem"
    /// Bytes of a file at most: a key of 4,096 bits has 3,300.
    private static let longest = 32 << 10

    /// - Throws: `DKIMFolderError`, which repeats nothing of a key.
    package init(reading path: String) throws(DKIMFolderError) {
        var keys: [DKIMKey] = []
        var warnings: [String] = []
        for domain in try Self.entries(of: path) where FileStatus(path: "\(path)/\(domain)")?.kind == .directory {
            for file in try Self.entries(of: "\(path)/\(domain)") where file.hasSuffix(Self.suffix) {
                let place = "\(path)/\(domain)/\(file)"
                let key = try Self.key(at: place, domain: domain, selector: String(file.dropLast(Self.suffix.count)), &warnings)
                keys.append(key)
            }
        }
        guard !keys.isEmpty else { throw DKIMFolderError(path: path, why: "has no keys: flotilla dkim generate DOMAIN makes them") }
        self.keys = keys
        self.warnings = warnings
    }

    /// Makes a key, where there is none of that name.
    /// - Throws: `DKIMFolderError`.
    package static func generate(
        _ algorithm: DKIMKey.Algorithm, domain: String, selector: String, in path: String
    ) throws(DKIMFolderError) -> DKIMKey {
        let place = "\(path)/\(domain)/\(selector)\(suffix)"
        let pem: Secret
        let key: DKIMKey
        do throws(DKIMKeyError) {
            pem = try DKIMKey.generate(algorithm)
            key = try DKIMKey(domain: domain, selector: selector, pem: pem)
        } catch { throw DKIMFolderError(path: place, why: "\(error)") }
        guard FileStatus(path: place) == nil else {
            throw DKIMFolderError(path: place, why: "is there already: take another --selector")
        }
        do {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(domain)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw DKIMFolderError(path: "\(path)/\(domain)", why: "cannot be made: \(error.localizedDescription)") }
        if let problem = PrivateFile.replace(Array(pem.exposed.utf8), at: place) {
            throw DKIMFolderError(path: place, why: "cannot be written: \(String(cString: strerror(problem)))")
        }
        return key
    }

    private static func entries(of folder: String) throws(DKIMFolderError) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
            throw DKIMFolderError(path: folder, why: "cannot be read: \(error.localizedDescription)")
        }
    }

    private static func key(
        at place: String, domain: String, selector: String, _ warnings: inout [String]
    ) throws(DKIMFolderError) -> DKIMKey {
        guard let status = FileStatus(path: place), status.kind == .regular, status.size <= longest,
            let data = FileManager.default.contents(atPath: place), let text = String(validating: data, as: UTF8.self)
        else {
            throw DKIMFolderError(path: place, why: "cannot be read, or is no file of at most 32 KB: it belongs to the user of the workers")
        }
        if status.rights & 0o077 != 0 {
            warnings.append(
                "the DKIM key \(place) can be read by others (mode \(PrivateFile.text(status.rights))), who could sign as \(domain): "
                    + "chmod 600 \(place)")
        }
        let key: DKIMKey
        do throws(DKIMKeyError) { key = try DKIMKey(domain: domain, selector: selector, pem: Secret(text)) } catch {
            throw DKIMFolderError(path: place, why: "\(error)")
        }
        if key.bits < DKIMKey.recommendedBits, key.algorithm == .rsa {
            warnings.append("the DKIM key \(place) has \(key.bits) bits: \(DKIMKey.recommendedBits) are asked of senders today")
        }
        return key
    }
}

/// Why keys cannot be used.
package struct DKIMFolderError: Error, Equatable, CustomStringConvertible {
    let path: String
    let why: String

    package var description: String { "the DKIM keys \(path) \(why)" }
}
