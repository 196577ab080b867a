// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// A module of ours: strict settings, in `Sources/NAME`.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of a module, in `Tests/NAMETests`.
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, resources: resources,
        swiftSettings: strict)
}

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let metricsCore: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

let package = Package(
    name: "flotilla",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "flotilla", targets: ["flotilla"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // 0: C libraries; values; pure rules.
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CHiredis", linkerSettings: [.linkedLibrary("hiredis")]),
        module("Model", []),
        module("Policy", ["Model"]),
        // 1: the edges; each is the only importer of its driver.
        module("Telemetry", ["Model", log, metrics, metricsCore, lifecycle,
            .product(name: "Hummingbird", package: "hummingbird")]),
        module("Broker", ["Model", "CHiredis", log, metrics, lifecycle, collections] + nio),
        module("Ledger", ["Model", log, metrics, .product(name: "GRDB", package: "GRDB.swift")]),
        module("Templates", ["Model"]),
        module("Transport", ["Model", "Policy", "CCurl", log, metrics, collections] + nio),
        // 2: the roles.
        module("Planning", ["Model", "Policy", "Broker", "Ledger", "Templates", log, metrics, lifecycle, yaml]),
        module("Delivery", ["Model", "Policy", "Broker", "Templates", "Transport", log, metrics, lifecycle, collections]),
        module("Collecting", ["Model", "Policy", "Broker", "Ledger", log, metrics, lifecycle]),
        module("Control", ["Model", "Ledger"]),
        module("Sink", ["Model", log, lifecycle] + nio),
        // 3: the executable.
        .executableTarget(
            name: "flotilla",
            dependencies: [
                "Model", "Policy", "Telemetry", "Broker", "Ledger", "Templates", "Transport",
                "Planning", "Delivery", "Collecting", "Control", "Sink", log, metrics, lifecycle, yaml,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: strict),
        tests("Model", []),
        tests("Policy", ["Model"]),
        tests("Telemetry", ["Model"]),
        tests("Broker", ["Model"]),
        tests("Ledger", ["Model"]),
        tests("Templates", ["Model"]),
        tests("Transport", ["Model"]),
        tests("Planning", ["Model", "Policy", "Ledger"]),
        tests("Sink", ["Model"]),
        tests("flotilla", ["Model", "Ledger"]),
    ]
)
