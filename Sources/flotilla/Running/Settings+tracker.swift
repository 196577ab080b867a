import CommandSupport
import Logging
import Settings
import Signing
import Telemetry

extension Settings {
    /// The file of the tracker's keys: the one that is named, or that beside the ledger.
    func trackerKeyPath() throws -> String { try tracker.keys ?? ledger.localPath() + ".keys" }

    /// The keys that sign and verify links to the tracker, and the addresses that e-mail comes back to; nil where there are neither.
    /// - Parameter makes: a file that is not named and not there is made. Of a ledger on a server it is not where others share the Redis:
    ///   each of their machines would sign by a key of its own, and none could verify another's.
    /// - Throws: `TrackerKeyError`; `CommandError` where there is no folder for the file.
    func trackerKeys(makes: Bool) throws -> SigningKeys? {
        guard tracker.url != nil || email.returnPath != nil else { return nil }
        let path = try trackerKeyPath()
        let isAlone = ledger.place.file != nil || redis.endpoint == nil
        if makes, isAlone, tracker.keys == nil { try TrackerKeyFile.make(path) }
        return try TrackerKeyFile(reading: path).keys()
    }

    /// The keys by which a planner that signs nothing checks the workers': those of the file that is named. One beside its ledger may be
    /// of an earlier `up`, and is no other role's.
    func comparedKeys(_ logger: Logger) -> SigningKeys? {
        guard tracker.url != nil, let path = tracker.keys else { return nil }
        do throws(TrackerKeyError) { return try TrackerKeyFile(reading: path).keys() } catch {
            logger.notice("the keys of workers are not compared with the tracker's: \(error)")
            return nil
        }
    }

    /// The folder of a tracker's events: the one that is named, or one for each port where programs keep such things.
    /// - Throws: `CommandError` where there is no place for it.
    func trackerSpool() throws(CommandError) -> String {
        if let folder = tracker.spool { return folder }
        return try ledger.stateFolder() + "/tracker-\(tracker.listen.port)"
    }
}
