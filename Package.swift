// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]
let settings = strict + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
/// For targets whose insides have unit tests: so that one release build serves those too.
let testable: [SwiftSetting] = [.unsafeFlags(["-enable-testing"], .when(configuration: .release))]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let locks: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")

/// Its main function is libFuzzer's, which only `Tests/Fuzzing/run` links.
let fuzzer: [Target] =
    Context.environment["CONSENT_FUZZER"] == nil
    ? []
    : [
        .executableTarget(
            name: "fuzz",
            dependencies: ["Fuzzing", "TestSupport"],
            path: "Tests/Fuzzing/Driver",
            swiftSettings: settings
        )
    ]

// Targets are listed by layer: a target depends on lower layers only.
let package = Package(
    name: "consent-worker",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "consent-worker", targets: ["consent-worker"]),
        .executable(name: "partner-center-simulator", targets: ["partner-center-simulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // 0: no dependency inside the package
        .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "JSON", swiftSettings: settings),
        .target(name: "Secrets", swiftSettings: settings),

        // 1
        .target(name: "EventLoop", dependencies: [locks], swiftSettings: settings),
        .target(name: "Resilience", dependencies: [locks], swiftSettings: settings),
        .target(
            name: "ConsentContract",
            dependencies: ["JSON", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings
        ),

        // 2
        .target(
            name: "AMQP",
            dependencies: [
                "CRabbitMQ", "COpenSSL", "EventLoop", "Resilience", "Secrets", locks, logging, lifecycle, metrics,
            ],
            swiftSettings: settings + testable
        ),
        .target(
            name: "HTTP",
            dependencies: ["CCurl", "EventLoop", "Resilience", locks, metrics],
            swiftSettings: settings
        ),

        // 3
        .target(
            name: "RateLimiting",
            dependencies: ["AMQP", "JSON", "Resilience", locks, logging],
            swiftSettings: settings
        ),
        .target(
            name: "MicrosoftAPI",
            dependencies: [
                "HTTP", "ConsentContract", "JSON", "Resilience", "Secrets", locks, logging,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                metrics,
            ],
            swiftSettings: settings
        ),

        .target(
            name: "OTLP",
            dependencies: [
                "HTTP", "JSON", "Resilience", locks, logging, lifecycle, tracing,
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: settings + testable
        ),

        // 4
        .target(
            name: "ConsentWorker",
            dependencies: [
                "AMQP", "HTTP", "RateLimiting", "MicrosoftAPI", "ConsentContract", "JSON", "Resilience", "EventLoop",
                "Secrets", locks, logging, lifecycle, metrics, tracing, .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings + testable
        ),

        // 5
        .target(
            name: "Admin",
            dependencies: [
                "ConsentContract", "ConsentWorker", "JSON", "MicrosoftAPI", "Resilience", hummingbird, logging,
                lifecycle, locks, metrics, coreMetrics, .product(name: "NIOCore", package: "swift-nio"),
            ],
            resources: [
                .embedInCode("Page/page.css"), .embedInCode("Page/page.html"), .embedInCode("Page/page.js"),
            ],
            swiftSettings: settings + testable
        ),

        // 6
        .executableTarget(
            name: "consent-worker",
            dependencies: [
                "Admin", "ConsentWorker", "AMQP", "HTTP", "MicrosoftAPI", "ConsentContract", "JSON", "EventLoop",
                "OTLP", "RateLimiting", "Resilience", "Secrets", argumentParser, lifecycle, logging, metrics, tracing,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings + testable
        ),

        // The tests' oracle: depends on nothing of the worker, and nothing of the worker on it.
        .executableTarget(
            name: "partner-center-simulator",
            dependencies: [
                argumentParser, locks, logging, lifecycle,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict + testable
        ),
        .testTarget(
            name: "SimulatorTests",
            dependencies: [
                "partner-center-simulator", argumentParser,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),

        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "AMQP", "ConsentContract", "ConsentWorker", "EventLoop", "HTTP", "JSON", "RateLimiting", "Resilience",
                "TestSupport", locks, logging,
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),

        // Unit tests of the lower layers
        .target(
            name: "TestSupport",
            dependencies: ["ConsentContract", "Resilience", locks],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        // What comes from outside, changed at random; the driver below leads the changes by coverage.
        .target(
            name: "Fuzzing",
            dependencies: [
                "AMQP", "CRabbitMQ", "ConsentContract", "ConsentWorker", "EventLoop", "HTTP", "JSON", "MicrosoftAPI",
                "RateLimiting", "Resilience", "Secrets", "TestSupport", logging,
            ],
            path: "Tests/Fuzzing/Sources",
            swiftSettings: settings
        ),
        .testTarget(
            name: "FuzzingTests",
            dependencies: ["Fuzzing", "consent-worker", "JSON", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(name: "JSONTests", dependencies: ["JSON", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "EventLoopTests",
            dependencies: ["EventLoop", "TestSupport", locks],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ResilienceTests",
            dependencies: ["Resilience", "ConsentContract", "TestSupport", locks],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ConsentContractTests",
            dependencies: ["ConsentContract", "JSON", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AMQPTests",
            dependencies: ["AMQP", "Secrets"],
            swiftSettings: settings
        ),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP", "TestSupport", locks], swiftSettings: settings),
        .testTarget(
            name: "RateLimitingTests",
            dependencies: ["RateLimiting", "Resilience", "TestSupport", locks],
            swiftSettings: settings
        ),
        .testTarget(
            name: "OTLPTests",
            dependencies: ["OTLP", "HTTP", "JSON", "Resilience", "TestSupport", locks, logging, tracing],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ConsentWorkerTests",
            dependencies: [
                "ConsentWorker", "AMQP", "ConsentContract", "HTTP", "JSON", "MicrosoftAPI", "Resilience", "TestSupport",
                tracing,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PublishTests",
            dependencies: ["consent-worker", "AMQP", "ConsentContract", "JSON"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AdminTests",
            dependencies: [
                "Admin", "ConsentWorker", "ConsentContract", "MicrosoftAPI", "Resilience", "TestSupport", coreMetrics,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MicrosoftAPITests",
            dependencies: [
                "MicrosoftAPI", "ConsentContract", "HTTP", "JSON", "Resilience", "Secrets", "TestSupport", logging,
                metrics,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: settings
        ),
    ] + fuzzer
)
