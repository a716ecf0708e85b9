//go:build azure

package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	azblobblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"

	"sluice/internal/crm"
)

// azureSettings are for containers of Azure Blob Storage.
var azureSettings = []Setting{
	{Name: "account", Help: "name of the storage account"},
	{Name: "account_key", Help: "key of the storage account", Secret: true},
	{Name: "sas", Help: "shared access signature, the part behind the ?", Secret: true},
	{Name: "endpoint", Help: "address of a service other than Azure's own, with the account's name in it", Check: checkAddress},
	{Name: "anonymous", Help: "true for a container that everybody may read", Check: checkBool},
}

var _ = registerBucket("azblob", bucketKind{settings: azureSettings, open: openAzure, code: azureCode,
	version: func(a *blob.Attributes) string { return a.ETag },
	read: func(r *blob.Reader, from int64) string {
		var out azblobblob.DownloadStreamResponse
		if !r.As(&out) || out.ETag == nil ||
			from > 0 && (out.ContentRange == nil || !strings.HasPrefix(*out.ContentRange, fmt.Sprintf("bytes %d-", from))) {
			return ""
		}
		return string(*out.ETag)
	},
	pin: func(as func(any) bool, version string) {
		var in *azblob.DownloadStreamOptions
		if !as(&in) || version == "" {
			return
		}
		tag := azcore.ETag(version)
		in.AccessConditions = &azblobblob.AccessConditions{ModifiedAccessConditions: &azblobblob.ModifiedAccessConditions{IfMatch: &tag}}
	}})

var azureAccount = regexp.MustCompile(`^[a-z0-9]{3,24}$`)

func openAzure(_ context.Context, name string, w Way) (*blob.Bucket, error) {
	account := w.Settings["account"]
	if account == "" && w.Environment {
		account = os.Getenv("AZURE_STORAGE_ACCOUNT")
	}
	if !azureAccount.MatchString(account) {
		return nil, fmt.Errorf("%w: set account to the name of the storage account", crm.ErrInvalid)
	}
	address := w.Settings["endpoint"]
	if address == "" {
		address = "https://" + account + ".blob.core.windows.net"
	}
	address, err := url.JoinPath(address, name)
	if err != nil {
		return nil, fmt.Errorf("%w: endpoint is no address", crm.ErrInvalid)
	}
	client, err := azureClient(address, account, w)
	if err != nil {
		return nil, err
	}
	return azureblob.OpenBucket(context.Background(), client, nil)
}

func azureClient(address, account string, w Way) (*container.Client, error) {
	opts := &container.ClientOptions{ClientOptions: policy.ClientOptions{Transport: azureOut(w.HTTP)}}
	key, sas := w.Settings["account_key"], w.Settings["sas"]
	if key == "" && sas == "" && w.Environment {
		key, sas = os.Getenv("AZURE_STORAGE_KEY"), os.Getenv("AZURE_STORAGE_SAS_TOKEN")
	}
	switch {
	case w.Settings["anonymous"] == "true":
		return container.NewClientWithNoCredential(address, opts)
	case key != "":
		cred, err := azblob.NewSharedKeyCredential(account, key)
		if err != nil {
			return nil, fmt.Errorf("%w: account_key is no key of a storage account", crm.ErrInvalid)
		}
		return container.NewClientWithSharedKeyCredential(address, cred, opts)
	case sas != "":
		return container.NewClientWithNoCredential(address+"?"+strings.TrimPrefix(sas, "?"), opts)
	case !w.Environment:
		return nil, fmt.Errorf("%w: there are no credentials; set account_key or sas, or anonymous for a container that everybody may read", crm.ErrDenied)
	}
	// What the environment authorizes is asked for by its own client: it may come
	// from an address that only this machine may reach.
	cred, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: neither the settings nor the environment have credentials for Azure", crm.ErrDenied)
	}
	return container.NewClient(address, cred, opts)
}

// azureOut is a way out on which an address that may not be reached is not tried
// again.
type azureOut roundTrip

func (o azureOut) Do(req *http.Request) (*http.Response, error) {
	res, err := o(req)
	if errors.Is(err, crm.ErrInvalid) {
		err = azureFinal{err}
	}
	return res, err
}

// azureFinal is an error as the library takes one that trying again cannot mend.
type azureFinal struct{ error }

func (azureFinal) NonRetriable()   {}
func (f azureFinal) Unwrap() error { return f.error }

func azureCode(err error) (string, int) {
	var res *azcore.ResponseError
	if !errors.As(err, &res) {
		return "", 0
	}
	return res.ErrorCode, res.StatusCode
}
