/// How long addresses stay suppressed that messages came back from.
extension SettingsTable {
    private static let days = Duration.seconds(86_400)...(.seconds(36_500 * 86_400))

    static let suppressionsSoftBounces = Setting.integer(
        "suppressions.soft_bounces", 0...100, default: "5",
        "Mailings in a row that a mailbox took nothing of for now, such as a full one, after which it is suppressed; 0: never. See "
            + "[suppressions.md](suppressions.md#who-is-refused).")
    static let suppressionsUnknownUser = Setting.duration(
        "suppressions.expiry.unknown_user", days, shown: "never", "How long an address is suppressed of which there is no mailbox.")
    static let suppressionsUnknownHost = Setting.duration(
        "suppressions.expiry.unknown_host", days, default: "180d",
        "The same for one whose domain is not there, or takes no mail.")
    static let suppressionsMoved = Setting.duration(
        "suppressions.expiry.moved", days, shown: "never", "The same for one whose recipient has another address.")
    static let suppressionsInactive = Setting.duration(
        "suppressions.expiry.inactive", days, default: "180d", "The same for a mailbox or account that is closed.")
    static let suppressionsSoft = Setting.duration(
        "suppressions.expiry.soft_bounces", days, default: "90d",
        "The same after `suppressions.soft_bounces`. Those that lie further apart are not in a row.")

    static let suppressionKeys: [SettingKey] = [
        suppressionsSoftBounces.key, suppressionsUnknownUser.key, suppressionsUnknownHost.key, suppressionsMoved.key,
        suppressionsInactive.key, suppressionsSoft.key,
    ]
}
