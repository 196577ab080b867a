import CommandSupport
import Ledger
import Model
import Settings
import Telemetry
import Text

/// The name of a provider in a question about messages.
enum KnownProvider {
    /// Refuses the name of a provider that neither the settings nor the ledger know: a mistyped one would look like an answer.
    static func require(_ provider: String, _ settings: Settings, _ ledger: any OpenLedger) async throws {
        guard !ProviderURL.isURL(provider), settings.providers[provider] == nil else { return }
        if try await ledger.hasAttempts(through: provider) { return }
        let near = NearestName.of(provider, among: settings.providers.keys.sorted()).map { ", did you mean \($0)?" } ?? ""
        throw CommandError(
            """
            flotilla.yaml has no provider '\(LogText.line(provider))'\(near), and no message of this ledger went through one of that \
            name
            """)
    }
}
