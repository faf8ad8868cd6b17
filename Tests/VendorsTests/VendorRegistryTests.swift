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
    let slugs = """
      openai openai-compatible deepseek moonshot ollama azure qwen ernie spark doubao zhipu hunyuan \
      minimax qwen-native ernie-v1 cloudflare replicate dify dify-agent coze ollama-native gemini \
      vertex spark-ws hunyuan-native bedrock anthropic cohere
      """
    for slug in ByteString(utf8: slugs).list(separatedBy: 0x20) {
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
      #expect(ByteString(vendor.documentation).starts(with: "https://"), "\(vendor.name)")
    }
  }

  @Test func asksForABaseURLOnlyWhereThereIsNoDefault() {
    for vendor in VendorRegistry.all {
      let isEmpty = ByteString(vendor.defaultBaseURL).isEmpty
      let slug = ByteString(vendor.slug).text
      #expect(isEmpty == ["openai-compatible", "azure"].contains(slug), "\(slug)")
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

  @Test func namesKnownTasksOnly() {
    let known: Set<String> = [
      "chat", "completions", "responses", "embeddings", "images", "speech", "transcription",
      "moderations", "rerank",
    ]
    for vendor in VendorRegistry.all {
      #expect(!vendor.tasks.isEmpty, "\(vendor.name)")
      #expect(vendor.tasks.allSatisfy { known.contains($0.text) }, "\(vendor.name)")
    }
  }

  /// What a list of replacements says is read with each request: a slip in a row must show here.
  @Test func writesListsOfReplacementsInTheirForm() {
    for vendor in VendorRegistry.all {
      for list in [vendor.callPaths, vendor.requestEdits, vendor.finishReasons] {
        for pair in ByteString(list).list(separatedBy: 0x20) {
          let parts = pair.text.split(separator: ">", omittingEmptySubsequences: false)
          #expect(parts.count == 2 && !parts[0].isEmpty, "\(vendor.name): \(pair.text)")
          #expect(Vendor.replacement(of: ByteString(utf8: String(parts[0])), in: list) != nil)
        }
      }
    }
  }

  /// A vendor with a format of its own lists models by path, array and name, or not at all.
  @Test func tellsWhereModelsAreListed() {
    for vendor in VendorRegistry.all {
      let listing = vendor.modelListing
      #expect(listing.isEmpty && vendor.speaks != .openAI || listing.count == 3, "\(vendor.name)")
      #expect(listing.first?.starts(with: "/") ?? true, "\(vendor.name)")
    }
  }

  @Test func describesEachSettingOnce() {
    for vendor in VendorRegistry.all {
      let names = vendor.fields.map(\.name)
      #expect(Set(names).count == names.count, "\(vendor.name)")
      for field in vendor.fields {
        #expect(!field.name.isEmpty && !field.label.isEmpty, "\(vendor.name)")
        // Without a default the vendor's own counts.
        #expect(
          field.choices.isEmpty || field.standard.isEmpty || field.choices.contains(field.standard),
          "\(vendor.name)")
      }
    }
  }

  @Test func readsTheLineOfASetting() {
    let field = VendorField("!region|Region of the account|us-east-1|eu|us,eu")
    #expect(field.isRequired && !field.isSecret)
    #expect(field.name == "region" as StaticString && field.label == "Region of the account")
    #expect(field.example == "us-east-1" as StaticString && field.standard == "eu" as StaticString)
    #expect(field.choices.map(\.text) == ["us", "eu"])
    let short = VendorField("account_token|Token")
    #expect(!short.isRequired && short.isSecret)
    #expect(short.example.isEmpty && short.standard.isEmpty && short.choices.isEmpty)
  }
}
