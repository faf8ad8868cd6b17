// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Vendors

/// The table of channel types.
struct VendorRegistryTests {
  @Test func hasEachSlugOnce() {
    let slugs = VendorRegistry.all.map { ByteString($0.slug) }
    #expect(Set(slugs).count == slugs.count)
    let names = VendorRegistry.all.map { ByteString($0.name) }
    #expect(Set(names).count == names.count)
  }

  /// Slugs are stored in databases.
  @Test func keepsTheSlugsOfEarlierVersions() {
    for slug: ByteString in ["openai", "openai-compatible", "deepseek", "moonshot", "ollama"] {
      #expect(VendorRegistry.find(slug).map { ByteString($0.slug) } == slug)
    }
  }

  @Test func findsNothingElse() {
    for slug: ByteString in ["", "OpenAI", "openai ", "open", "openai-compatible2"] {
      #expect(VendorRegistry.find(slug) == nil)
    }
  }

  @Test func writesSlugsInLowerCase() {
    for vendor in VendorRegistry.all {
      let slug = ByteString(vendor.slug)
      #expect(!slug.isEmpty)
      #expect(
        slug.bytes.allSatisfy { byte in
          byte == UInt8(ascii: "-") || ASCII.isDigit(byte)
            || ASCII.isLetter(byte) && ASCII.lowercased(byte) == byte
        }, "\(slug.text)")
    }
  }

  @Test func namesASourceForEveryFact() {
    for vendor in VendorRegistry.all {
      #expect(!ByteString(vendor.name).isEmpty)
      #expect(!ByteString(vendor.source).isEmpty, "\(vendor.name)")
    }
  }

  @Test func asksForABaseURLOnlyWhereThereIsNoDefault() {
    for vendor in VendorRegistry.all {
      let isEmpty = ByteString(vendor.defaultBaseURL).isEmpty
      #expect(isEmpty == (ByteString(vendor.slug) == "openai-compatible"), "\(vendor.name)")
    }
  }

  /// Keys must not travel in the clear, except within the machine.
  @Test func sendsKeysOverTLSOrLoopbackOnly() {
    for vendor in VendorRegistry.all {
      let base = ByteString(vendor.defaultBaseURL)
      if base.isEmpty { continue }
      let isLocal = base.starts(with: "http://127.0.0.1:")
      #expect(base.starts(with: "https://") || isLocal, "\(base.text)")
      if isLocal { #expect(vendor.isKeyOptional, "\(base.text)") }
    }
  }

  @Test func listsEachModelOnce() {
    for vendor in VendorRegistry.all {
      #expect(Set(vendor.models).count == vendor.models.count, "\(vendor.name)")
      #expect(vendor.models.allSatisfy { !$0.isEmpty }, "\(vendor.name)")
    }
  }
}
