/// The scripts, embedded from `Scripts/`.
enum Scripts {
    static let feed = RedisScript(name: "feed", source: PackageResources.feed_lua)
    static let begin = RedisScript(name: "begin", source: PackageResources.begin_lua)
    static let report = RedisScript(name: "report", source: PackageResources.report_lua)
    static let settle = RedisScript(name: "settle", source: PackageResources.settle_lua)
    static let reserve = RedisScript(name: "reserve", source: PackageResources.reserve_lua)
}
