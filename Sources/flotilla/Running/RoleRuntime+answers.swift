import Broker
import Collecting
import CommandSupport
import Foundation
import Ledger
import Logging
import Settings
import Signing
import Tracking

extension RoleRuntime {
    /// Answers what trackers ask of the ledger.
    /// - Parameter keys: sign the links of messages that are shown; nil for those of the settings, where this process may read them.
    func answering(_ broker: Broker, _ ledger: any OpenLedger, keys: SigningKeys? = nil) -> AnsweringService {
        var keys = keys
        if keys == nil {
            do { keys = try settings.trackerKeys(makes: false) } catch {
                logger.notice("messages are not shown in browsers by this process: \(PlainError.of(error))")
            }
        }
        return AnsweringService(
            broker: broker, ledger: ledger, url: settings.tracker.url, domains: settings.tracker.domains, keys: keys, name: name,
            logger: logger)
    }
}

extension Settings.Tracker.Pages {
    /// Bytes of a template at most.
    private static let templateBytes = 64 << 10

    /// How pages look.
    /// - Throws: `CommandError` where the template cannot be used.
    func look() throws -> PageLook {
        var look = PageLook(
            name: name ?? "", colour: colour.flatMap { PageColour($0) }, background: background.flatMap { PageColour($0) }, logo: logo)
        guard let template else { return look }
        let bytes: Data
        do { bytes = try Data(contentsOf: URL(fileURLWithPath: template)) } catch {
            throw CommandError("tracker.pages.template: \(template) cannot be read: \(PlainError.of(error))")
        }
        guard bytes.count <= Self.templateBytes, let text = String(validating: bytes, as: UTF8.self), text.contains("{{content}}") else {
            throw CommandError(
                "tracker.pages.template: \(template) has to be UTF-8 of 64 KiB at most, with {{content}} where a page's text is to be")
        }
        look.template = text
        return look
    }
}
